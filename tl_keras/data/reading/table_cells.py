"""Columns of CSV, TSV, JSON lines and Parquet tables, with the place of each row for error messages."""

import difflib
import importlib
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tl_keras.data.label_cells import is_class_column
from tl_keras.data.reading.delimited import DELIMITERS, read_delimited, read_utf8
from tl_keras.data.reading.parquet_files import open_parquet, read_table
from tl_keras.data.wording import excerpt, first_of, one_line
from tl_keras.errors import MAX_LISTED, InputError, counted
from tl_keras.system.json_files import check_depth, parse_json

TABLE_SUFFIXES = frozenset((*DELIMITERS, ".jsonl", ".parquet"))
LISTS, FLOATS = (list, tuple, np.ndarray), (float, np.floating)
TEXT_COLUMNS = ("text", "texts", "sentence", "review", "comment", "message", "content", "title", "headline", "tweet")
"""Names by which a column of texts is recognised where images are expected."""
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


@dataclass(frozen=True)
class TableColumns:
    """Names of the columns of a table, and how many labels its rows have.

    Attributes:
        path: column of image paths, relative to the folder of the table and inside it.
        text: column in a table, or key in TensorFlow Datasets, of the texts.
        second_text: column or key of the second text of each pair; None: no pairs.
        boxes: the four columns of the coordinates of a box in pixels.
        label: column of class names; for texts also a key in TensorFlow Datasets. A tuple names the columns of zeros
            and ones of the classes, one for each, which tables of images and texts may have.
        split: column of split names (train, val, test, ... or empty). A table may lack the default column "split"; then
            every split is undecided.
        multi_label: True if an example has any number of labels, also none, in a cell as a list or joined by the
            separator. Tables only; has no effect on boxes.
        label_separator: what joins the labels of a cell, with `multi_label`; None: "|".
    """

    path: str = "path"
    text: str = "text"
    second_text: str | None = None
    boxes: tuple[str, str, str, str] = ("xmin", "ymin", "xmax", "ymax")
    label: str | tuple[str, ...] = "label"
    split: str = "split"
    multi_label: bool = False
    label_separator: str | None = None

    @property
    def table_setting(self):
        """Name of a setting that only tables support, or None."""
        if self.multi_label:
            return "data.multi_label"
        return None if isinstance(self.label, str) else "data.label_column with several columns"

    @property
    def label_flags(self):
        """Dict from flag to column of labels and splits, as `read_columns` takes it."""
        if isinstance(self.label, str):
            labels = {"data.label_column": self.label}
        else:
            labels = {f"data.label_column[{number}]": column for number, column in enumerate(self.label)}
        return labels | {"data.split_column": self.split}


DEFAULT_COLUMNS = TableColumns()


def read_columns(table, columns, image_column=None):
    """Reads the named columns of a table.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file. CSV and TSV are UTF-8 with a header line, JSON lines are
            UTF-8 with one object per line, which may lack keys.
        columns: dict from the flag that names a column, such as "data.label_column", to the column. The column of
            "data.split_column" may be absent if it has its default name, "split".
        image_column: column whose cells may be encoded images in Parquet, as bytes or as {bytes, path}.

    Returns:
        places: tuple of the place of each row, such as "line 7" or "row 7".
        cells: dict from column to a list with the cell of each row: stripped text, "" for an empty or missing cell, a
            list of texts for a list in JSON or Parquet, bytes for an encoded image.

    Raises:
        InputError: the file is not a readable table, has no rows, lacks a column or has it twice, or has a cell that is
            no text.
    """
    table = Path(table)
    rows = _read_checked(table, columns)[1]
    cells = {column: [""] * len(rows) for column in columns.values()}
    for number, (place, row) in enumerate(rows):
        for name, cell in row:
            if name in cells:
                image = _encoded_image(cell) if name == image_column else None
                cells[name][number] = _clean(cell, table, place) if image is None else image
    return tuple(place for place, _ in rows), cells


def read_rows(table, columns):
    """Reads whole rows of a table, as they are, and the texts of the named columns.

    Args:
        table: path of a table, as in `read_columns`.
        columns: dict from flag to column, as in `read_columns`.

    Yields:
        place: place of the row, such as "line 7".
        row: dict from column to cell as the file holds it: str in CSV and TSV, any value in JSON and Parquet; columns
            without a name are left out.
        texts: dict from each named column to its cell as `read_columns` returns it.

    Raises:
        InputError: as in `read_columns`, or any two columns have the same name.
    """
    table = Path(table)
    header, rows = _read_checked(table, columns)
    _refuse_doubled(table, header, filter(None, header))
    for place, row in rows:
        row = {name: cell for name, cell in row if name}
        yield place, row, {column: _clean(row.get(column), table, place) for column in columns.values()}


def _read_checked(table, columns):
    """Returns the header and the rows of a table that has rows and the named columns."""
    header, rows = _read(table)
    _refuse_doubled(table, header, columns.values())
    for argument, column in columns.items():
        if column not in header and (argument, column) != ("data.split_column", "split"):
            raise _missing_column(table, argument, column, header, _class_columns(argument, header, rows))
    if not rows:
        raise InputError(f"The table {table} has no rows: expected at least one row for each example.")
    return header, rows


def _refuse_doubled(table, header, names):
    counts = Counter(header)
    column = next((name for name in names if counts[name] > 1), None)
    if column is not None:
        raise InputError(
            f"The table {table} has {counted(counts[column], 'column')} of the name {excerpt(column)!r}, expected one: "
            "rename or remove the others."
        )


def has_column(table, argument, column):
    """Returns True if a table has a column.

    Args:
        table: path of a table, as in `read_columns`.
        argument: the flag that names the column, for messages.
        column: name of the column.

    Raises:
        InputError: the file is not a readable table, or a column's name differs in case only.
    """
    header = _read(Path(table))[0]
    if column not in header and column.lower() in map(str.lower, header):
        raise _missing_column(table, argument, column, header)
    return column in header


def has_rows(table):
    """Returns True if a table, as `read_columns` takes it, has more than a header."""
    return bool(_read(Path(table))[1])


def _read(table):
    return {".jsonl": _json_rows, ".parquet": _parquet_rows}.get(table.suffix.lower(), _delimited_rows)(table)


def _delimited_rows(table):
    header, rows = read_delimited(table)
    return header, [(place, zip(header, cells, strict=True)) for place, cells in rows]


def _json_rows(table):
    rows, bad, header = [], [], {}
    # Not splitlines: JSON texts may contain other characters that it takes for line ends.
    for number, line in enumerate(read_utf8(table).split("\n"), start=1):
        if line.strip():
            try:
                cells = parse_json(line)
                check_depth(cells)
            except (ValueError, RecursionError):
                cells = None
            if isinstance(cells, dict):
                rows.append((f"line {number}", cells.items()))
                header.update(dict.fromkeys(cells))
            else:
                bad.append(f"line {number}")
    if bad:
        raise InputError(
            f"The table {table} is not valid at {first_of(bad)}: expected one JSON object per line, such as "
            '{"text": "...", "label": "..."}.'
        )
    return list(header), rows


def _parquet_rows(table):
    try:
        # Imported here because only Parquet needs Arrow, which takes longer to import than most tables take to read.
        arrow = importlib.import_module("pyarrow")
        with open_parquet(table) as file:
            frame = read_table(file, table).to_pandas()
    # The description that pandas adds to a file may be anything.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, arrow.ArrowException) as error:
        raise InputError(f"Cannot read {table} as Parquet: {one_line(error)}; check the file.") from error
    frame = frame.astype(object).where(frame.notna(), None)
    header = [str(name) for name in frame.columns]
    rows = zip(*(frame.iloc[:, index] for index in range(len(header))), strict=True)
    return header, [(f"row {number}", zip(header, cells, strict=True)) for number, cells in enumerate(rows, start=1)]


def _encoded_image(cell):
    """Returns the image in a cell of Parquet, bytes, or the path that stands there in its place; else None."""
    if isinstance(cell, dict) and cell and cell.keys() <= {"bytes", "path"}:
        path = cell.get("path")
        return cell.get("bytes") or (path if isinstance(path, str) else "")
    # Unlike files of images, paths contain no NUL.
    return cell if isinstance(cell, bytes) and b"\0" in cell else None


def _clean(cell, table, place):
    if not isinstance(cell, LISTS):
        return _text(cell, table, place)
    if any(isinstance(part, LISTS) for part in cell):
        raise InputError(
            f'{table}, {place}, has a list inside of a list: expected a text, or one list such as ["a", "b"].'
        )
    return [_text(part, table, place) for part in cell]


def _text(cell, table, place):
    if isinstance(cell, dict):
        raise InputError(
            f"{table}, {place}, has an object in a cell, {excerpt(str(cell))}: expected a text, so write one of "
            "its values."
        )
    # The JSON reader accepts NaN, which counts as null.
    if cell is None or (isinstance(cell, FLOATS) and math.isnan(cell)):
        return ""
    if isinstance(cell, bytes):
        try:
            return cell.decode().strip()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{table}, {place}, has bytes that are not UTF-8 text: write the column as strings."
            ) from error
    # In Parquet, a column of integers with a missing value becomes floating point.
    return str(int(cell) if isinstance(cell, FLOATS) and float(cell).is_integer() else cell).strip()


def _class_columns(argument, header, rows):
    """Lists the columns that may belong to one class each, for a missing column of labels."""
    if argument != "data.label_column":
        return []
    columns = {name: [] for name in header}
    for _, row in rows:
        for name, cell in row:
            columns[name].append(cell)
    names = [name for name, cells in columns.items() if len(cells) == len(rows) and is_class_column(cells)]
    return names[:MAX_LISTED]


def _missing_column(table, argument, column, header, class_columns=()):
    joined = [name for mark, name in _OTHER_DELIMITERS.items() if len(header) == 1 and mark in header[0]]
    near = difflib.get_close_matches(column.lower(), [name.lower() for name in header], n=1, cutoff=0.5)
    nearest = next((name for name in header if near and name.lower() == near[0]), None)
    if not header:
        return InputError(f"The table {table} is empty: expected column names and at least one row.")
    if joined:
        hint = f"it seems to have {joined[0]} between its columns: save it with {_delimiter_name(table)}."
    elif argument == "data.path_column" and (texts := [name for name in header if name.lower() in TEXT_COLUMNS]):
        named = "" if texts[0] == DEFAULT_COLUMNS.text else f" --text.text_column {texts[0]}"
        hint = f"a table of texts is for --task text_classification{named}; images need a column of their paths."
    elif len(class_columns) > 1:
        hint = (
            f"some hold zeros and ones: for a column for each class, give --{argument} "
            f'"[{", ".join(class_columns)}]", with --data.multi_label true if an example may have several.'
        )
    elif nearest and "[" in argument:
        hint = f'did you mean {nearest!r}? Give all names with --{argument.partition("[")[0]} "[A, B, ...]".'
    elif nearest:
        hint = f"did you mean --{argument} {nearest}?"
    else:
        hint = f"name the right one with --{argument.partition('[')[0]}."
    return InputError(f"The table {table} has no column {column!r}, only {_listed(header)}; {hint}")


def _listed(header):
    more = f" and {len(header) - MAX_LISTED} more" if len(header) > MAX_LISTED else ""
    return ", ".join(repr(excerpt(name)) for name in header[:MAX_LISTED]) + more


def _delimiter_name(table):
    return _OTHER_DELIMITERS[DELIMITERS.get(table.suffix.lower(), ",")]
