"""Checks of data sets before TensorFlow Datasets opens them and imports the modules of the classes that they name."""

import re

from tl_keras.errors import InputError, quoted
from tl_keras.system.json_files import read_json

OWN_FEATURES = r"tensorflow_datasets\.core\.features\.\w+(\.\w+)*"
NAME = r"\w+(/[\w.+-]+)?(:[\d.*]+)?"
CLASS_KEYS = ("pythonClassName", "python_class_name", "type")


def check_name(name):
    """Refuses a name that is more than a data set of TensorFlow Datasets itself.

    Args:
        name: the part after `tfds:`, such as "oxford_flowers102:2.1.1".

    Raises:
        InputError: the name has a namespace, whose code would be downloaded and run, or arguments such as another
            folder.
    """
    if not re.fullmatch(NAME, name):
        raise InputError(
            f"tfds:{name} is not the plain name of a data set: expected NAME, NAME/CONFIG or NAME:VERSION, without "
            "namespace or arguments; for data in a folder give its path."
        )


def check_prepared(folder):
    """Refuses a prepared data set with features of classes outside of TensorFlow Datasets.

    Args:
        folder: `Path` of the folder with features.json.

    Raises:
        InputError: the file names another class, or cannot be read.
    """
    path = folder / "features.json"
    features = read_json(path, dict, "prepare the data set again")
    for name in _class_names(features):
        if not isinstance(name, str) or not re.fullmatch(OWN_FEATURES, name):
            raise InputError(
                f"The prepared data set in {str(folder)!r} has a feature of class {quoted(name)}, whose module "
                "would be imported: expected classes of tensorflow_datasets only."
            )


def _class_names(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            # A feature may itself be called `type`; then the value is a dict.
            if key in CLASS_KEYS and not isinstance(inner, dict):
                yield inner
            yield from _class_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _class_names(inner)
