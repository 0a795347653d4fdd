"""Looks at the folder of a preset before KerasHub opens it, which builds whatever its JSON files name."""

import json
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import check_classes

CONFIGS = ("config", "image_converter", "preprocessor", "task", "tokenizer")
MAX_BYTES = 100_000_000


def check_preset(preset):
    """Refuses a folder that names classes beyond KerasHub's own, or files outside of it.

    Args:
        preset: path of a local folder, str or `pathlib.Path`; any other name is left to KerasHub.

    Raises:
        InputError: it does, or its files cannot be read.
    """
    for path in sorted(Path(preset).rglob("*.json")):
        if path.stem in CONFIGS:
            check_classes(_read(path), any_of_hub=True)


def _read(path):
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"Cannot read {str(path)!r} of the preset ({reason}): copy or download it again.") from error
