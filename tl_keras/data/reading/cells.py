"""Cells of tables as texts, and what makes one unusable."""

import math

import numpy as np

from tl_keras.data.wording import excerpt

LISTS, FLOATS = (list, tuple, np.ndarray), (float, np.floating)


class BadCell(ValueError):
    """Reports a cell that holds no text.

    Args:
        problem: kind of problem, as `Faults.add` takes it.
        advice: way to correct it.
        shown: the cell, as far as it helps to find it; "" shows nothing.
    """

    def __init__(self, problem, advice, shown=""):
        super().__init__(problem)
        self.problem, self.advice, self.shown = problem, advice, shown


def clean_cell(cell):
    """Converts a cell as a file holds it to text.

    Args:
        cell: any value.

    Returns:
        Stripped text, "" for an empty or missing cell, or a list of texts.

    Raises:
        BadCell: it is an object, a list in a list, or bytes that are not UTF-8.
    """
    if not isinstance(cell, LISTS):
        return _text(cell)
    if any(isinstance(part, LISTS) for part in cell):
        raise BadCell("a list inside of a list", 'write texts, or one list such as ["a", "b"]')
    return [_text(part) for part in cell]


def encoded_image(cell):
    """Returns the image in a cell of Parquet, bytes, or the path that stands there in its place; else None.

    Args:
        cell: any value, such as {bytes, path}.
    """
    if isinstance(cell, dict) and cell and cell.keys() <= {"bytes", "path"}:
        path = cell.get("path")
        return cell.get("bytes") or (path if isinstance(path, str) else "")
    # Unlike files of images, paths contain no NUL.
    return cell if isinstance(cell, bytes) and b"\0" in cell else None


def _text(cell):
    if isinstance(cell, dict):
        raise BadCell("an object in a cell", "write one of the values of an object as text", excerpt(str(cell)))
    # The JSON reader accepts NaN, which counts as null.
    if cell is None or (isinstance(cell, FLOATS) and math.isnan(cell)):
        return ""
    if isinstance(cell, bytes):
        try:
            return cell.decode().strip()
        except UnicodeDecodeError as error:
            raise BadCell("bytes that are not UTF-8 text", "write the column as strings") from error
    # In Parquet, a column of integers with a missing value becomes floating point.
    return str(int(cell) if isinstance(cell, FLOATS) and float(cell).is_integer() else cell).strip()
