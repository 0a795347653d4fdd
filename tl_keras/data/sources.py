"""Finds the images and labels that a user points at, whatever form they have."""

import difflib
import importlib
from pathlib import Path

from tl_keras.data.examples import EXAMPLES, example_path
from tl_keras.data.folders import prepared_versions, read_folders
from tl_keras.data.records import Records
from tl_keras.data.tables import TABLE_SUFFIXES, read_table
from tl_keras.errors import InputError

__all__ = ["Records", "find_records"]

TFDS_PREFIX = "tfds:"


def find_records(
    path,
    *,
    path_column="path",
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
):
    """Lists the images of a data set with their labels; no image is opened.

    Args:
        path: one of
            - the name of a shipped example ("emoji"; write "./emoji" for a folder of that name),
            - a folder with one folder per class,
            - a folder with train/, and perhaps val(idation)/ and test/, each with one folder per class,
            - a .csv, .tsv or .parquet table,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        path_column: of a table, the column of image paths, relative to the folder of the table.
        label_column: of a table, the column of class names.
        split_column: of a table, the column of split names; it may be absent if it is the default.
        multi_label: an image belongs to any number of classes. Tables only.
        label_separator: what stands between the class names in a cell of a multi-label table.

    Returns:
        `Records`. Labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: nothing is there, or what is there cannot be used; the message says why.
    """
    place = Path(path)
    if str(path) in EXAMPLES:
        place = example_path(str(path))
    is_table = place.suffix.lower() in TABLE_SUFFIXES and place.is_file()
    if multi_label and not is_table:
        raise InputError(
            f"data.multi_label needs a table whose label column names several classes, got {str(path)!r}: give a .csv, "
            ".tsv or .parquet file, or turn multi_label off."
        )
    if str(path).startswith(TFDS_PREFIX):
        return _tfds_source().read_named(str(path).removeprefix(TFDS_PREFIX))
    if is_table:
        return read_table(
            place,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
            multi_label=multi_label,
            label_separator=label_separator,
        )
    if not place.is_dir():
        raise _not_there(path, place)
    if prepared_versions(place):
        return _tfds_source().read_prepared(place)
    return read_folders(place)


def _tfds_source():
    """Loads the reader of TensorFlow Datasets, and with it that package, only for data that need it."""
    return importlib.import_module("tl_keras.data.tfds_source")


def _not_there(path, place):
    if place.is_file():
        return InputError(
            f"Cannot use the file {path} as data: expected a folder or a table ({' '.join(sorted(TABLE_SUFFIXES))}); "
            "give the folder that holds the class folders."
        )
    parent = place.parent
    beside = [entry.name for entry in parent.iterdir()] if parent.is_dir() else []
    near = difflib.get_close_matches(place.name, [*beside, *EXAMPLES], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "check --data.path."
    return InputError(
        f"Nothing found at {str(path)!r}: expected a folder of class folders, a table, tfds:NAME, or a shipped example "
        f"({', '.join(EXAMPLES)}); {hint}"
    )
