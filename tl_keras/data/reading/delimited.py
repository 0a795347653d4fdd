"""Cells of CSV and TSV files, each row with the line where it begins, so that every fault can be found."""

import contextlib
import csv
import io
import re

from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.data.wording import first_of
from tl_keras.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')


def read_delimited(table):
    """Reads a table of cells.

    Rows may be quoted as in RFC 4180, over several lines too. A .tsv file whose lines all have one cell per column is
    read line by line, for many such files hold bare quotes. Lines without any content are passed over.

    Args:
        table: `Path` of a .csv or .tsv file, UTF-8 with or without byte order mark, with a header line.

    Returns:
        header: list of column names.
        rows: list of (where, cells): "line 7" and a list of as many str as there are columns.

    Raises:
        InputError: the file cannot be read, is not UTF-8, has a quote out of place or rows of another length.
    """
    text = read_utf8(table)
    delimiter = DELIMITERS[table.suffix.lower()]
    with _cells_of_any_length(text):
        rows = _bare_rows(text) if delimiter == "\t" else None
        rows = _quoted_rows(table, text, delimiter) if rows is None else rows
    rows = [(line, cells) for line, cells in rows if any(cell.strip() for cell in cells)]
    if not rows:
        return [], []
    header = [name.strip() for name in rows[0][1]]
    _require_width(table, rows, len(header))
    return header, [(f"line {line}", cells) for line, cells in rows[1:]]


def read_utf8(table):
    """Reads a text file.

    Args:
        table: `Path`.

    Returns:
        Its text, without byte order mark.

    Raises:
        InputError: it cannot be read, or is not UTF-8; the message names the line.
    """
    try:
        return decode_utf8(table.read_bytes())
    except OSError as error:
        raise InputError(f"Cannot read the table {table}: {error.strerror}; check its path and rights.") from error
    except NotUtf8 as error:
        raise InputError(
            f"The table {table} is not UTF-8: {error.reason}; save it as UTF-8, for example with `iconv -t utf-8 -f` "
            "and its encoding."
        ) from error


@contextlib.contextmanager
def _cells_of_any_length(text):
    # The csv module refuses cells of more than 128 kB, for the whole process.
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _bare_rows(text):
    """Returns (line, cells) of a TSV that needs no quotes; None if its lines are not all of one width."""
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
            f"{'' if unclosed else 'out of place '}in the row that begins at line {line}, reading broke off at line "
            f"{reader.line_num}: put a cell that holds quotes into quotes, and double those inside."
        ) from error
    return rows


def _require_width(table, rows, width):
    problems = {
        "more": [f"line {line}" for line, cells in rows if len(cells) > width],
        "fewer": [f"line {line}" for line, cells in rows if len(cells) < width],
    }
    for problem, found in problems.items():
        if found:
            raise InputError(
                f"The table {table} has {problem} cells at {first_of(found)} than columns ({width}): put cells that "
                "hold the delimiter or quotes into double quotes."
            )
