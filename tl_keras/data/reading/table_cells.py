"""Tables of any kind, CSV, TSV, JSON lines, Parquet, as cells by column, each row with the place where it stands."""

import difflib
import importlib
import json
import math
from pathlib import Path

import numpy as np

from tl_keras.data.reading.delimited import DELIMITERS, read_delimited, read_utf8
from tl_keras.data.wording import first_of, one_line
from tl_keras.errors import InputError

TABLE_SUFFIXES = frozenset((*DELIMITERS, ".jsonl", ".parquet"))
LISTS, FLOATS = (list, tuple, np.ndarray), (float, np.floating)
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def read_cells(table, columns):
    """Reads the named columns of a table.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file. The first two are UTF-8 with a header line, the third is
            UTF-8 with one JSON object per line, of which any may lack a key.
        columns: dict from the flag that names a column, such as "data.label_column", to the column. The column of
            "data.split_column" may be absent if it has its default name, "split".

    Returns:
        list of (where, cells): "line 7" or "row 7", and a dict from column to content, stripped text; "" where
        nothing is there; a list of texts where JSON or Parquet hold a list.

    Raises:
        InputError: the file cannot be read as such a table, has no rows, lacks a column or has it twice, or has a cell
            that holds no text.
    """
    table = Path(table)
    header, rows = _read(table)
    for argument, column in columns.items():
        if header.count(column) > 1:
            raise InputError(
                f"The table {table} has {header.count(column)} columns of the name {column!r}, expected one: rename or "
                "remove the others."
            )
        if column not in header and (argument, column) != ("data.split_column", "split"):
            raise _missing_column(table, argument, column, header)
    if not rows:
        raise InputError(f"The table {table} has no rows: expected at least one row for each example.")
    wanted = set(columns.values())
    return [
        (where, {name: _clean(cell, table, where) for name, cell in cells if name in wanted}) for where, cells in rows
    ]


def has_column(table, argument, column):
    """Says whether a table, as `read_cells` reads it, has a column, which the flag `argument` names.

    Raises:
        InputError: the file cannot be read as such a table, or the name of a column differs in case alone.
    """
    header = _read(Path(table))[0]
    if column not in header and column.lower() in map(str.lower, header):
        raise _missing_column(table, argument, column, header)
    return column in header


def _read(table):
    return {".jsonl": _json_rows, ".parquet": _parquet_rows}.get(table.suffix.lower(), _delimited_rows)(table)


def _delimited_rows(table):
    header, rows = read_delimited(table)
    return header, [(where, zip(header, cells, strict=True)) for where, cells in rows]


def _json_rows(table):
    rows, bad, header = [], [], {}
    # JSON texts may hold other characters that splitlines would take for the end of a line.
    for number, line in enumerate(read_utf8(table).split("\n"), start=1):
        if line.strip():
            try:
                cells = json.loads(line)
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
    # Only Parquet needs it, and it takes longer to load than most tables take to read.
    pandas = importlib.import_module("pandas")
    try:
        frame = pandas.read_parquet(table)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read {table} as Parquet: {one_line(error)}; check the file.") from error
    frame = frame.astype(object).where(frame.notna(), None)
    header = [str(name) for name in frame.columns]
    rows = zip(*(frame.iloc[:, place] for place in range(len(header))), strict=True)
    return header, [(f"row {number}", zip(header, cells, strict=True)) for number, cells in enumerate(rows, start=1)]


def _clean(cell, table, where):
    if not isinstance(cell, LISTS):
        return _text(cell, table, where)
    if any(isinstance(part, LISTS) for part in cell):
        raise InputError(
            f'{table}, {where}, has a list inside of a list: expected a text, or one list such as ["a", "b"].'
        )
    return [_text(part, table, where) for part in cell]


def _text(cell, table, where):
    # JSON as Python reads it knows NaN, which says as little as null.
    if cell is None or (isinstance(cell, FLOATS) and math.isnan(cell)):
        return ""
    if isinstance(cell, bytes):
        try:
            return cell.decode().strip()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{table}, {where}, has bytes that are no UTF-8 text: write the column as strings."
            ) from error
    # Parquet makes floating-point numbers of integers where one is missing.
    return str(int(cell) if isinstance(cell, FLOATS) and float(cell).is_integer() else cell).strip()


def _missing_column(table, argument, column, header):
    listed = ", ".join(map(repr, header))
    joined = [name for mark, name in _OTHER_DELIMITERS.items() if len(header) == 1 and mark in header[0]]
    near = difflib.get_close_matches(column.lower(), [name.lower() for name in header], n=1, cutoff=0.5)
    nearest = next((name for name in header if near and name.lower() == near[0]), None)
    if not header:
        return InputError(f"The table {table} is empty: expected column names and at least one row.")
    if joined:
        hint = f"it seems to have {joined[0]} between its columns: save it with {_expected(table)}."
    elif nearest:
        hint = f"did you mean --{argument} {nearest}?"
    else:
        hint = f"name the right one with --{argument}."
    return InputError(f"The table {table} has no column {column!r}, only {listed}; {hint}")


def _expected(table):
    return _OTHER_DELIMITERS[DELIMITERS.get(table.suffix.lower(), ",")]
