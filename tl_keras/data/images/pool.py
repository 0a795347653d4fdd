"""Unlabelled images: a folder of them, or a table of their paths."""

import os
from pathlib import Path

import numpy as np

from tl_keras.data.data_errors import Faults
from tl_keras.data.images.table import list_sources
from tl_keras.data.reading.folders import list_images
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES, read_columns
from tl_keras.data.records import Records
from tl_keras.data.wording import printable
from tl_keras.errors import InputError, quoted


def find_pool_images(path, column="path"):
    """Lists images without labels, without opening them.

    Args:
        path: a folder, which stands for every image in it and below, or a table with a column of paths.
        column: that column.

    Returns:
        `Records` in the split "test", whose labels mean nothing; names are relative to the folder of the pool.

    Raises:
        InputError: there are no images, or the table cannot be used.
    """
    if os.path.isdir(path):
        root = os.path.join(path, "")
        sources = list_images(path)
        names = [printable(source[len(root) :]) for source in sources]
    elif os.path.isfile(path) and Path(path).suffix.lower() in TABLE_SUFFIXES:
        sources, names = _read_table(path, column)
    else:
        raise InputError(
            f"No pool found at {quoted(str(path))}: expected a folder of images, or a table of their paths."
        )
    if not sources:
        raise InputError(f"The pool {quoted(str(path))} holds no image: expected a folder with image files.")
    return Records(sources, names, np.zeros(len(sources), np.int32), ["test"] * len(sources), ("unlabelled",))


def _read_table(table, column):
    faults = Faults(f"The table {table}")
    places, cells = read_columns(table, {"data.path_column": column}, column, faults)
    images = [cell if isinstance(cell, bytes) else str(cell) for cell in cells[column]]
    # Missing files are left out with a reason when they are read, like those that are no images.
    sources = list_sources(table, places, images, "skip", faults)
    faults.raise_if_any()
    return sources, [
        place if isinstance(image, bytes) else printable(image) for place, image in zip(places, images, strict=True)
    ]
