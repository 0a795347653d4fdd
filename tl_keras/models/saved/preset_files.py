"""Checks of a preset folder before KerasHub opens it and builds every class that its JSON files name."""

import json
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import check_classes

CONFIGS = ("config", "image_converter", "preprocessor", "task", "tokenizer")
MAX_BYTES = 100_000_000


def check_preset(preset):
    """Checks that a preset folder names only allowed classes and no files outside of it.

    Args:
        preset: path of a local folder, str or `pathlib.Path`; other names are not checked.

    Raises:
        InputError: it names others, or its files cannot be read.
    """
    for path in sorted(Path(preset).rglob("*.json")):
        if path.stem in CONFIGS:
            check_classes(_read(path), allow_hub=True)


def _read(path):
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"Cannot read {str(path)!r} of the preset ({reason}): copy or download it again.") from error
