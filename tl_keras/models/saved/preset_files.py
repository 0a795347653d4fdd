"""Checks of a preset folder before KerasHub opens it and builds every class that its JSON files name."""

import contextlib
import json
from pathlib import Path

import safetensors

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.weights.files import readable
from tl_keras.models.weights.hdf5_check import open_hdf5

CONFIGS = ("config", "image_converter", "preprocessor", "task", "tokenizer")
MAX_BYTES = 100_000_000


def check_preset(preset):
    """Checks that a preset folder names only allowed classes and no files outside of it.

    Weights in HDF5 must be arrays as Keras writes them, see `check_hdf5`.

    Args:
        preset: path of a local folder, str or `pathlib.Path`; other names are not checked.

    Raises:
        InputError: it names others, or its files cannot be read or have other arrays.
    """
    for path in sorted(Path(preset).rglob("*.json")):
        if path.stem in CONFIGS:
            check_classes(_read(path), allow_hub=True)
    for path in sorted(Path(preset).rglob("*.h5")):
        with readable(path), open_hdf5(path):
            pass


def first_line(error):
    """Returns the first line of an error's text, or the name of its class if it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def hub_errors(subject, advice, reason=first_line):
    """Converts errors of KerasHub to `InputError`.

    Args:
        subject: what could not be opened, such as "KerasHub preset 'resnet_50_imagenet'".
        advice: how to fix the error, the end of the message.
        reason: function from the error to the reason that the message states.

    Raises:
        InputError: the subject is unknown, cannot be downloaded or cannot be read.
    """
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise InputError(f"The {subject} could not be opened ({reason(error)}): {advice}.") from error


def _read(path):
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"Cannot read {str(path)!r} of the preset ({reason}): copy or download it again.") from error
