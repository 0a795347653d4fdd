"""Finds the images and labels that a user points at, whatever form they have."""

import importlib

from tl_keras.data.examples.catalogue import IMAGE_EXAMPLES
from tl_keras.data.images.table import read_table
from tl_keras.data.reading.folders import read_folders
from tl_keras.data.reading.locations import find_location
from tl_keras.data.records import Records

__all__ = ["Records", "find_records"]


def find_records(
    path,
    *,
    path_column="path",
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
    on_bad_file="error",
):
    """Lists the images of a data set with their labels; no image is opened.

    Args:
        path: one of
            - the name of a shipped example ("emoji"; write "./emoji" for a folder of that name),
            - a folder with one folder per class,
            - a folder with train/, and perhaps val(idation)/ and test/, each with one folder per class,
            - a .csv, .tsv, .jsonl or .parquet table,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        path_column: of a table, the column of image paths, relative to the folder of the table.
        label_column: of a table, the column of class names.
        split_column: of a table, the column of split names; it may be absent if it is the default.
        multi_label: an image belongs to any number of classes. Tables only.
        label_separator: what stands between the class names in a cell of a multi-label table.
        on_bad_file: "error", or "skip" to leave files that a table names and that are not there to whoever decodes the
            images.

    Returns:
        `Records`. Labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: nothing is there, or what is there cannot be used; the message says why.
    """
    location = find_location(path, IMAGE_EXAMPLES, things="images", multi_label=multi_label)
    if location.form == "table":
        return read_table(
            location.path,
            path_column=path_column,
            label_column=label_column,
            split_column=split_column,
            multi_label=multi_label,
            label_separator=label_separator,
            on_bad_file=on_bad_file,
        )
    if location.form == "folder":
        return read_folders(location.path)
    # Loads TensorFlow Datasets, only for data that need it.
    return importlib.import_module("tl_keras.data.images.tfds").read_images(location)
