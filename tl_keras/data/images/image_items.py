"""Image files of a command line: finding them, and predicting them while the next ones are read."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tl_keras.data.data_errors import Faults
from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.images.table import list_sources
from tl_keras.data.reading.equal_columns import with_equal_columns
from tl_keras.data.reading.folders import list_images
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, TABLE_SUFFIXES, read_rows
from tl_keras.errors import InputError

BATCHES_READ_AHEAD = 2


class TableImage(str):
    """Path of an image that a table names, with what is written beside its prediction.

    Attributes:
        cells: dict from column to value.
    """

    def __new__(cls, path, cells):
        """Stores the cells."""
        image = super().__new__(cls, path)
        image.cells = cells
        return image


def find_image_files(paths, column=DEFAULT_COLUMNS.path):
    """Lists the image files among files, folders and tables.

    Args:
        paths: list of paths; a folder stands for every image in it and below, a table for its rows.
        column: column of the paths in tables, relative to the folder of the table and inside it.

    Returns:
        List of paths, at least one. If one of them is from a table, all are `TableImage` of the same columns.

    Raises:
        InputError: a path does not exist, a table cannot be read, or there is no image at all.
    """
    files = []
    for path in paths:
        if os.path.isdir(path):
            files += list_images(path)
        elif os.path.isfile(path) and os.path.splitext(path)[1].lower() in TABLE_SUFFIXES:
            files += _read_table(path, column)
        elif os.path.isfile(path):
            files.append(path)
        else:
            raise InputError(
                f"Nothing found at {path!r}: expected an image file, a folder of images or a table of their paths."
            )
    if not files:
        raise InputError(f"No image found in {', '.join(map(repr, paths))}: expected a folder with image files.")
    return _with_equal_columns(files) if any(isinstance(file, TableImage) for file in files) else files


def merge_rows(files, left_out):
    """Merges the rows of tables that name the same image, such as those of its boxes.

    Args:
        files: list of paths, as `find_image_files` returns them.
        left_out: names of columns that are left out.

    Returns:
        List of paths without duplicates, in order. Columns are kept whose cells are equal in all rows of an image.
    """
    rows = {}
    for file in files:
        rows.setdefault(str(file), []).append(getattr(file, "cells", {}))
    names = dict.fromkeys(name for cells in rows.values() for name in cells[0] if name not in left_out)
    kept = [name for name in names if all(len({repr(row[name]) for row in cells}) == 1 for cells in rows.values())]
    return [TableImage(file, {name: cells[0][name] for name in kept}) if kept else file for file, cells in rows.items()]


def _read_table(table, column):
    """Returns a `TableImage` for each row of a table; images that are missing are left to the reader of the files."""
    faults = Faults(f"The table {table}")
    places, rows, cells = zip(*read_rows(table, {"path_column": column}, faults), strict=True)
    files = list_sources(table, places, [str(texts[column]) for texts in cells], "skip", faults)
    faults.raise_if_any()
    return [TableImage(file, row) for file, row in zip(files, rows, strict=True)]


def _with_equal_columns(files):
    rows = with_equal_columns([getattr(file, "cells", {"file": str(file)}) for file in files])
    return [TableImage(file, row) for file, row in zip(files, rows, strict=True)]


def predict_files(files, predict, *, image_size, resize, batch_size):
    """Predicts image files in batches, while threads read the next `BATCHES_READ_AHEAD` batches.

    Args:
        files: list of paths.
        predict: function of uint8 images (n, image_size, image_size, 3) that returns n predictions.
        image_size: side in pixels of the square images.
        resize: as in `read_image`.
        batch_size: files in a batch.

    Yields:
        For each file in order a tuple (file, prediction, problem). If the file cannot be read, the prediction is None
        and `problem` says why; else `problem` is None.
    """
    for batch, images in _read_ahead(files, image_size, resize, batch_size):
        readable = [image for image in images if not isinstance(image, BadImage)]
        predictions = iter(predict(np.stack(readable)) if readable else ())
        for file, image in zip(batch, images, strict=True):
            problem = image.reason if isinstance(image, BadImage) else None
            yield file, None if problem else next(predictions), problem


def _read_ahead(files, image_size, resize, batch_size):
    """Yields each batch of files with its images, and a `BadImage` for each file that cannot be read."""

    def read(file):
        try:
            return read_image(file, image_size, resize)
        except BadImage as error:
            return error

    waiting = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), batch_size):
            batch = files[start : start + batch_size]
            waiting.append((batch, pool.map(read, batch)))
            if len(waiting) > BATCHES_READ_AHEAD:
                batch, images = waiting.pop(0)
                yield batch, list(images)
        for batch, images in waiting:
            yield batch, list(images)
