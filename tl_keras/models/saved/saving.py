"""Saving of models for plain Keras, and safe opening of saved models."""

import json
import zipfile
from pathlib import Path

import keras

from tl_keras.errors import MAX_QUOTED, InputError, first_line
from tl_keras.models.saved.allow_list import check_classes
from tl_keras.models.saved.model_archive import read_archive
from tl_keras.models.saved.size_check import UNBUILDABLE, check_declared_sizes
from tl_keras.models.weights.files import CLASS_NAMES_MEMBER, readable
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.budget import Budget


def save_model(model, path, *, class_names=None):
    """Saves a model so that `keras.models.load_model` opens it without this project.

    The file is written atomically. It contains no optimizer; the class names are stored beside the weights.

    Args:
        model: functional `keras.Model` of Keras's own layers.
        path: the `.keras` file to write; an existing file is replaced.
        class_names: sequence of names in the order of the outputs; None takes `model.class_names`, if any.
    """
    path = Path(path)
    names = getattr(model, "class_names", None) if class_names is None else class_names
    # A new model over the same layers has no training configuration and therefore names no class of this project.
    plain = keras.Model(model.input, model.output, name=model.name)
    with atomic_path(path) as temporary:
        plain.save(temporary)
        if names is not None and len(names):
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(CLASS_NAMES_MEMBER, json.dumps(list(map(str, names)), ensure_ascii=False))


def open_model(path):
    """Opens a model saved by `save_model`, safely even for an untrusted file.

    Runs no code of the file and reads nothing outside of it: before Keras opens it, every layer must be on the allow
    list, and all declared sizes must match the arrays in the file.

    Args:
        path: the `.keras` file.

    Returns:
        Uncompiled `keras.Model`.

    Raises:
        InputError: the file is damaged or unsafe.
    """
    budget = Budget()
    config, stored_bytes = read_archive(path, budget)
    config.pop("compile_config", None)
    with readable(path):
        check_classes(config, budget)
    check_declared_sizes(config, stored_bytes, budget)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (*UNBUILDABLE, OSError) as error:
        reason = first_line(error)[:MAX_QUOTED]
        raise InputError(f"The model in {str(path)!r} cannot be opened ({reason}): it is damaged.") from error
