"""Cells of CSV and TSV files, each row with its line number for error messages."""

import contextlib
import csv
import io
import re

from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.errors import InputError
from tl_keras.system.stored.files import read_bytes

DELIMITERS = {".csv": ",", ".tsv": "\t"}

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def read_delimited(table, faults=None):
    """Reads the cells of a CSV or TSV file.

    Quoted cells as in RFC 4180 may span lines. A .tsv file whose lines all have one cell per column is read line by
    line, because many such files contain bare quotes. Empty lines are skipped. A .csv file may have semicolons between
    its columns, as spreadsheets write it where the comma is the decimal mark.

    Args:
        table: `Path` of a .csv or .tsv file, in UTF-8 with or without byte order mark, with a header line.
        faults: `Faults` that collects rows of another length, which are left out; None raises an error for them.

    Returns:
        header: list of column names.
        rows: list of (place, cells): "line 7" and a list of str, one for each column.

    Raises:
        InputError: the file cannot be read, is not UTF-8, has a misplaced quote or rows of another length.
    """
    text = read_utf8(table)
    delimiter = _find_delimiter(table, text)
    with _unlimited_cells(text):
        rows = _bare_rows(text) if delimiter == "\t" else None
        rows = _quoted_rows(table, text, delimiter) if rows is None else rows
    rows = [(line, cells) for line, cells in rows if any(cell.strip() for cell in cells)]
    if not rows:
        return [], []
    header = [name.strip() for name in rows[0][1]]
    found = Faults(f"The table {table}") if faults is None else faults
    rows = [(f"line {line}", cells) for line, cells in rows[1:]]
    kept = [row for row in rows if _has_width(row, len(header), found)]
    if faults is None or not kept:
        found.raise_if_any()
    return header, kept


def read_utf8(table):
    """Reads a text file.

    Args:
        table: `Path` of the file.

    Returns:
        The content as str, without byte order mark.

    Raises:
        InputError: the file cannot be read, or is not UTF-8; the message names the line.
    """
    try:
        return decode_utf8(read_bytes(table))
    except OSError as error:
        raise InputError(f"Cannot read the table {table}: {error.strerror}; check its path and rights.") from error
    except NotUtf8 as error:
        raise InputError(
            f"The table {table} is not UTF-8: {error.reason}; save it as UTF-8, for example with `iconv -t utf-8 -f` "
            "and its encoding."
        ) from error


def _find_delimiter(table, text):
    header = text.lstrip().partition("\n")[0]
    delimiter = DELIMITERS[table.suffix.lower()]
    return ";" if delimiter == "," and ";" in header and "," not in header else delimiter


@contextlib.contextmanager
def _unlimited_cells(text):
    # The csv module refuses cells over 128 kB; the limit is global to the process.
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _bare_rows(text):
    """Returns (line, cells) of a TSV file without quoted cells; None if its lines differ in width."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    rows = [(reader.line_num, cells) for cells in reader if cells]
    if len({len(cells) for _, cells in rows}) != 1:
        return None
    return [(line, [_without_quotes(cell) for cell in cells]) for line, cells in rows]


def _without_quotes(cell):
    quoted = _QUOTED.fullmatch(cell) if cell.startswith('"') else None
    return quoted[1].replace('""', '"') if quoted else cell


def _quoted_rows(table, text, delimiter):
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        unclosed = "unexpected end" in str(error)
        raise InputError(
            f"The table {table} has {'an unclosed' if unclosed else 'a'} double quote "
            f"{'' if unclosed else 'out of place '}in the row that starts at line {line}, reading stopped at line "
            f"{reader.line_num}: put cells that contain quotes into quotes, and double the quotes inside."
        ) from error
    return rows


def _has_width(row, width, faults):
    """Returns whether a row has a cell for each column, or adds it to the faults."""
    place, cells = row
    if len(cells) == width:
        return True
    comparison = "more" if len(cells) > width else "fewer"
    advice = "put cells that contain the delimiter or quotes into double quotes"
    faults.add(f"{comparison} cells than columns ({width})", place, advice)
    return False
