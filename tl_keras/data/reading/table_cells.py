"""Columns of CSV, TSV, JSON lines and Parquet tables, with the place of each row for error messages."""

import importlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.cells import BadCell, clean_cell, encoded_image
from tl_keras.data.reading.delimited import DELIMITERS, read_delimited, read_utf8
from tl_keras.data.reading.missing_columns import missing_columns
from tl_keras.data.reading.parquet_files import open_parquet, read_table
from tl_keras.data.wording import excerpt, one_line
from tl_keras.errors import InputError, counted
from tl_keras.system.json_files import check_depth, parse_json

TABLE_SUFFIXES = frozenset((*DELIMITERS, ".jsonl", ".parquet"))


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


def read_columns(table, columns, image_column=None, faults=None):
    """Reads the named columns of a table.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file. CSV and TSV are UTF-8 with a header line, JSON lines are
            UTF-8 with one object per line, which may lack keys.
        columns: dict from the flag that names a column, such as "data.label_column", to the column. The column of
            "data.split_column" may be absent if it has its default name, "split".
        image_column: column whose cells may be encoded images in Parquet, as bytes or as {bytes, path}.
        faults: `Faults` that collects rows of another length, lines that are no JSON object and cells that are no text,
            whose rows are left out; None raises an error for them.

    Returns:
        places: tuple of the place of each row, such as "line 7" or "row 7".
        cells: dict from column to a list with the cell of each row: stripped text, "" for an empty or missing cell, a
            list of texts for a list in JSON or Parquet, bytes for an encoded image.

    Raises:
        InputError: the file is not a readable table, has no usable rows, lacks columns or has one twice.
    """
    table, found = Path(table), _faults_of(table, faults)
    places, cells = [], {column: [] for column in columns.values()}
    for place, row in _read_checked(table, columns, found)[1]:
        texts = _read_texts(place, ((name, cell) for name, cell in row if name in cells), found, image_column)
        if texts is not None:
            places.append(place)
            for column, read in cells.items():
                read.append(texts.get(column, ""))
    _require(found, places, faults)
    return tuple(places), cells


def read_rows(table, columns, faults=None):
    """Reads whole rows of a table, as they are, and the texts of the named columns.

    Args:
        table: path of a table, as in `read_columns`.
        columns: dict from flag to column, as in `read_columns`.
        faults: as in `read_columns`.

    Yields:
        place: place of the row, such as "line 7".
        row: dict from column to cell as the file holds it: str in CSV and TSV, any value in JSON and Parquet; columns
            without a name are left out.
        texts: dict from each named column to its cell as `read_columns` returns it.

    Raises:
        InputError: as in `read_columns`, or any two columns have the same name.
    """
    table, found = Path(table), _faults_of(table, faults)
    header, rows = _read_checked(table, columns, found)
    _refuse_doubled(table, header, filter(None, header))
    read = []
    for place, row in rows:
        row = {name: cell for name, cell in row if name}
        texts = _read_texts(place, ((column, row.get(column)) for column in columns.values()), found)
        if texts is not None:
            read.append((place, row, texts))
    _require(found, read, faults)
    yield from read


def _faults_of(table, faults):
    return Faults(f"The table {table}") if faults is None else faults


def _require(found, rows, faults):
    """Raises an error for the faults if nobody else does it, or if they leave no row to look for others in."""
    if faults is None or not rows:
        found.raise_if_any()


def _read_texts(place, cells, faults, image_column=None):
    """Returns a dict from column to text of (column, cell), or adds the first bad cell to the faults."""
    texts = {}
    for name, cell in cells:
        image = encoded_image(cell) if name == image_column else None
        try:
            texts[name] = clean_cell(cell) if image is None else image
        except BadCell as error:
            faults.add(error.problem, f"{place} ({error.shown})" if error.shown else place, error.advice)
            return None
    return texts


def _read_checked(table, columns, faults):
    """Returns the header and the rows of a table that has rows and the named columns."""
    header, rows = _read(table, faults)
    _refuse_doubled(table, header, columns.values())
    missing = [
        (argument, column)
        for argument, column in columns.items()
        if column not in header and (argument, column) != ("data.split_column", "split")
    ]
    if missing:
        error = missing_columns(table, missing, header, rows)
        if not faults.places:
            raise error
        # What is left out may be the reason.
        faults.add(str(error).removeprefix(f"The table {table} has ").rstrip("."), "", "name the columns that it has")
        faults.raise_if_any()
    if not rows:
        faults.raise_if_any()
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
    header, _ = _read_alone(table)
    if column not in header and column.lower() in map(str.lower, header):
        raise missing_columns(table, [(argument, column)], header, [])
    return column in header


def has_rows(table):
    """Returns True if a table, as `read_columns` takes it, has more than a header."""
    return bool(_read_alone(table)[1])


def _read_alone(table):
    faults = _faults_of(table, None)
    header, rows = _read(Path(table), faults)
    faults.raise_if_any()
    return header, rows


def _read(table, faults):
    readers = {".jsonl": _json_rows, ".parquet": _parquet_rows}
    return readers.get(table.suffix.lower(), _delimited_rows)(table, faults)


def _delimited_rows(table, faults):
    header, rows = read_delimited(table, faults)
    return header, [(place, zip(header, cells, strict=True)) for place, cells in rows]


def _json_rows(table, faults):
    rows, header = [], {}
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
                advice = 'expected one JSON object per line, such as {"text": "...", "label": "..."}'
                faults.add("no valid JSON object", f"line {number}", advice)
    if not rows:
        faults.raise_if_any()
    return list(header), rows


def _parquet_rows(table, faults):
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
