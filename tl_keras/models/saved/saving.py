"""Saves models so that plain Keras opens them, and opens them again."""

import json
import zipfile
from pathlib import Path

import keras

from tl_keras.errors import InputError
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.saved.model_archive import read_archive
from tl_keras.models.saved.size_check import UNBUILDABLE, check_declared_sizes
from tl_keras.models.weights.files import CLASS_NAMES_MEMBER
from tl_keras.system.atomic_files import atomic_path


def save_model(model, path, *, class_names=None):
    """Writes a model that `keras.models.load_model` opens in a Python without this project.

    The file appears at once and whole, or not at all. It holds no optimizer; the class names lie beside the weights.

    Args:
        model: functional `keras.Model` of Keras's own layers.
        path: the `.keras` file to write; one that is there is replaced.
        class_names: sequence of names in the order of the outputs; by default `model.class_names` where there are.
    """
    path = Path(path)
    names = getattr(model, "class_names", None) if class_names is None else class_names
    # A new model over the same layers has no training configuration, and so no class of ours.
    plain = keras.Model(model.input, model.output, name=model.name)
    with atomic_path(path) as temporary:
        plain.save(temporary)
        if names is not None and len(names):
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(CLASS_NAMES_MEMBER, json.dumps(list(map(str, names)), ensure_ascii=False))


def open_model(path):
    """Opens a model that `save_model` wrote.

    Nothing in the file is executed and nothing outside of it is read: before Keras opens it, every layer must be one
    that this project writes, and all sizes must be those of the arrays that the file holds.

    Args:
        path: the `.keras` file.

    Returns:
        Uncompiled `keras.Model`.

    Raises:
        InputError: the file is damaged, or holds something else.
    """
    config, stored_bytes = read_archive(path)
    config.pop("compile_config", None)
    check_classes(config)
    check_declared_sizes(config, stored_bytes)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (*UNBUILDABLE, OSError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise InputError(f"The model in {str(path)!r} cannot be opened ({reason}): it is damaged.") from error
