"""Checks of a preset folder before KerasHub opens it and builds every class that its JSON files name."""

import contextlib
from pathlib import Path

import safetensors

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.weights.files import readable
from tl_keras.models.weights.hdf5_check import open_hdf5
from tl_keras.system.budget import Budget
from tl_keras.system.json_files import read_json

CONFIGS = ("config", "image_converter", "preprocessor", "task", "tokenizer")


def check_preset(preset):
    """Checks that a preset folder names only allowed classes and no files outside of it.

    Weights in HDF5 must be arrays as Keras writes them, see `check_hdf5`.

    Args:
        preset: path of a local folder, str or `pathlib.Path`; other names are not checked.

    Raises:
        InputError: it names others, or its files cannot be read or have other arrays.
    """
    budget = Budget()
    for path in sorted(Path(preset).rglob("*.json")):
        if path.stem in CONFIGS:
            config = read_json(path, dict, "copy or download the preset again")
            with readable(path):
                check_classes(config, budget, allow_hub=True)
    for path in sorted(Path(preset).rglob("*.h5")):
        with readable(path), open_hdf5(path, budget):
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
