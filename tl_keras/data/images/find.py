"""Labelled images of any form: examples, folders, tables and data sets of TensorFlow Datasets."""

import importlib

from tl_keras.data.examples.catalogue import IMAGE_EXAMPLES
from tl_keras.data.images.table import read_table
from tl_keras.data.reading.folders import read_folders
from tl_keras.data.reading.locations import find_location
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS


def find_records(path, columns=DEFAULT_COLUMNS, *, on_bad_file="error"):
    """Lists the images of a data set with their labels, without opening images.

    Args:
        path: one of:
            - the name of an example ("emoji"; write "./emoji" for a folder of that name),
            - a folder with one subfolder per class,
            - a folder with train/, and optionally val(idation)/ and test/, each with one subfolder per class,
            - a .csv, .tsv, .jsonl or .parquet table,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        columns: `TableColumns` of a table.
        on_bad_file: "error", or "skip" to leave missing files of a table to the decoder of the images.

    Returns:
        `Records`. Labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: the data are missing or cannot be used; the message says why.
    """
    location = find_location(path, IMAGE_EXAMPLES, things="images", table_setting=columns.table_setting)
    if location.form == "table":
        return read_table(location.path, columns, on_bad_file=on_bad_file)
    if location.form == "folder":
        return read_folders(location.path)
    # Imported here because it loads TensorFlow Datasets.
    return importlib.import_module("tl_keras.data.images.tfds").read_images(location)
