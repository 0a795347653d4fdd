"""Checks of data sets before TensorFlow Datasets opens them and imports the modules of the classes that they name."""

import re

from tl_keras.errors import InputError, quoted
from tl_keras.system.json_files import read_json

OWN_FEATURES = r"tensorflow_datasets\.core\.features\.\w+(\.\w+)*"
NAME = r"\w+(/[\w.+-]+)?(:[\d.*]+)?"
INFO_NAMES = {"name", "version", "configName", "fileFormat", "filepathTemplate"}
INFO_NAMES |= {"config_name", "file_format", "filepath_template"}
"""Keys of dataset_info.json, in both spellings of protobuf, whose values become parts of the names of files."""
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
    """Refuses a prepared data set with features of classes outside of TensorFlow Datasets, or with files elsewhere.

    Args:
        folder: `Path` of the folder with features.json and dataset_info.json.

    Raises:
        InputError: the files name another class or a file in another folder, or cannot be read.
    """
    features = read_json(folder / "features.json", dict, "prepare the data set again")
    info = read_json(folder / "dataset_info.json", dict, "prepare the data set again")
    # Names of features may have slashes, and become the start of the names of files.
    elsewhere = [name for name in _file_names(info) if re.search(r"[/\\]", name)]
    elsewhere += [name for name in _keys(features) if ".." in re.split(r"[/\\]", name)]
    if elsewhere:
        raise InputError(
            f"The prepared data set in {str(folder)!r} names the file {quoted(elsewhere[0])}, which may lie in another "
            "folder: expected the names that TensorFlow Datasets writes."
        )
    for name in _class_names(features):
        if not isinstance(name, str) or not re.fullmatch(OWN_FEATURES, name):
            raise InputError(
                f"The prepared data set in {str(folder)!r} has a feature of class {quoted(name)}, whose module "
                "would be imported: expected classes of tensorflow_datasets only."
            )


def _file_names(info):
    """Yields the parts of the names of files that a description of a data set and its splits states."""
    splits = info.get("splits")
    for part in (info, *(splits if isinstance(splits, list) else ())):
        values = part.items() if isinstance(part, dict) else ()
        yield from (value for key, value in values if key in INFO_NAMES and isinstance(value, str))


def _keys(value):
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)


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
