"""Labelled texts of any form: examples, tables, folders and data sets of TensorFlow Datasets."""

import importlib

from tl_keras.data.examples.catalogue import TEXT_EXAMPLES
from tl_keras.data.reading.locations import find_location
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, TABLE_SUFFIXES
from tl_keras.data.texts.folders import read_text_folders
from tl_keras.data.texts.table import read_text_table
from tl_keras.data.wording import first_of
from tl_keras.errors import InputError


def find_texts(path, columns=DEFAULT_COLUMNS):
    """Reads the texts of a data set with their labels.

    Args:
        path: one of:
            - the name of an example ("reviews", "movie_reviews"; write "./reviews" for a folder of that name),
            - a .csv, .tsv, .jsonl or .parquet table,
            - a folder with one subfolder of .txt files per class,
            - a folder with train/, and optionally val(idation)/ and test/, each with one such subfolder per class,
            - "tfds:NAME", a data set of TensorFlow Datasets, prepared or downloadable,
            - a folder that TensorFlow Datasets has prepared.
        columns: `TableColumns` of a table, or keys of a data set of TensorFlow Datasets.

    Returns:
        `Records` whose sources are the whole texts, str, or tuples of two str for pairs. Labels are int32 (n,),
        multi-label uint8 (n, num_classes).

    Raises:
        InputError: the data are missing or cannot be used; the message says why.
    """
    location = find_location(path, TEXT_EXAMPLES, things="texts", table_setting=columns.table_setting)
    if location.form == "table":
        return read_text_table(location.path, columns)
    if location.form == "folder":
        return _read_folder(location.path, columns)
    # Imported here because it loads TensorFlow Datasets.
    return importlib.import_module("tl_keras.data.texts.tfds").read_texts(location, columns)


def _read_folder(folder, columns):
    if columns.second_text is not None:
        raise InputError(
            f"text.second_text_column needs a table or a data set with two texts in each row, got the folder {folder}: "
            "give a .csv, .tsv, .jsonl or .parquet file."
        )
    tables = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in TABLE_SUFFIXES]
    if tables and not any(path.is_dir() and not path.name.startswith(".") for path in folder.iterdir()):
        raise InputError(f"The folder {folder} holds tables and no class folders: give one of {first_of(tables)}.")
    return read_text_folders(folder)
