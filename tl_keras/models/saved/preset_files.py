"""Checks of a preset folder before KerasHub opens it and builds every class that its JSON files name."""

import contextlib
import importlib
from pathlib import Path

import safetensors

from tl_keras.errors import MAX_QUOTED, InputError, first_line, quoted
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.weights.files import readable
from tl_keras.models.weights.hdf5_check import open_hdf5
from tl_keras.system.budget import Budget
from tl_keras.system.json_files import read_json
from tl_keras.system.stored.files import refuse_sparse

AGAIN = "copy or download the preset again"
HALF_PRECISION = 2
"""How much larger arrays may be in memory, since presets may store them in 16 bits."""
INDEX = "model.safetensors.index.json"
CONFIGS = ("config", "image_converter", "preprocessor", "task", "tokenizer")


def check_preset(preset):
    """Checks that a preset folder names only allowed classes and no files outside of it.

    Weights in HDF5 must be arrays as Keras writes them, see `check_hdf5`, and the network must not declare more.

    Args:
        preset: path of a local folder, str or `pathlib.Path`; other names are not checked.

    Raises:
        InputError: it names others, or its files cannot be read or have other arrays.
    """
    budget, stored_bytes = Budget(), 0
    check_index(Path(preset))
    for path in filter(Path.is_file, Path(preset).rglob("*")):
        with readable(path):
            refuse_sparse(path)
    for path in sorted(Path(preset).rglob("*.json")):
        if path.stem in CONFIGS:
            config = read_json(path, dict, AGAIN)
            with readable(path):
                check_classes(config, budget, allow_hub=True)
    for path in sorted(Path(preset).rglob("*.h5")):
        with readable(path), open_hdf5(path, budget) as (_, array_bytes):
            stored_bytes += array_bytes
    config = Path(preset) / "config.json"
    if config.is_file() and "class_name" in (network := read_json(config, dict, AGAIN)):
        # Imported here, so that other folders are refused before TensorFlow is loaded.
        from tl_keras.models.saved.size_check import check_declared_sizes

        # The registration of its classes is part of KerasHub, which takes three seconds to import.
        importlib.import_module("keras_hub")
        check_declared_sizes(network, HALF_PRECISION * stored_bytes, budget)


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
    # Imported here, because it loads TensorFlow, as KerasHub does.
    from tl_keras.models.saved.size_check import UNBUILDABLE

    try:
        yield
    except InputError:
        raise
    except (OSError, MemoryError, *UNBUILDABLE, safetensors.SafetensorError) as error:
        shown = reason(error)[:MAX_QUOTED]
        raise InputError(f"The {subject} could not be opened ({shown}): {advice}.") from error


def check_index(folder):
    """Checks that the index of weights in several files names files of its own folder.

    Args:
        folder: `pathlib.Path` of the folder, which need not have an index.

    Raises:
        InputError: it names a file elsewhere, or is damaged.
    """
    if not (folder / INDEX).is_file():
        return
    files = read_json(folder / INDEX, dict, "copy or download it again").get("weight_map")
    if not isinstance(files, dict) or not all(isinstance(name, str) for name in files.values()):
        raise InputError(f"{INDEX} in {str(folder)!r} has no weight_map of names: copy or download it again.")
    for name in files.values():
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            raise InputError(
                f"{INDEX} in {str(folder)!r} names the file {quoted(name)}, expected files of its own folder: copy or "
                "download it again."
            )
