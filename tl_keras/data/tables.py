"""Images listed in a table: CSV, TSV or Parquet with a path and a label per row, and perhaps a split."""

import csv
import difflib
import importlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tl_keras.data.listing import first_of, one_line
from tl_keras.data.records import Records, sorted_class_names, split_of_name
from tl_keras.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
TABLE_SUFFIXES = frozenset((*DELIMITERS, ".parquet"))


@dataclass(frozen=True)
class _Row:
    where: str
    path: str
    label: str
    split: str


def read_table(
    table,
    *,
    path_column="path",
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
):
    """Reads a table of image paths and labels.

    Args:
        table: path of a .csv, .tsv (UTF-8, with or without byte order mark, a header line) or .parquet file.
        path_column: the column of image paths, relative to the folder of the table and inside it.
        label_column: the column of class names.
        split_column: the column of split names (train, val, test, ... or empty). A table without a column of the
            default name "split" is fine: every split is then undecided.
        multi_label: a label cell holds any number of class names, joined by `label_separator`; none is allowed.
        label_separator: as said.

    Returns:
        `Records`; labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: the file cannot be read as such a table, columns are missing, labels are empty, paths lead out of
            the folder or to files that are not there, or there are fewer than two classes (multi-label: one).
    """
    columns = {"data.path_column": path_column, "data.label_column": label_column, "data.split_column": split_column}
    rows = _read_rows(Path(table), columns)
    if not rows:
        raise InputError(f"The table {table} has no rows: expected a header line and one line per image.")
    splits = [_split(table, row) for row in rows]
    class_names, labels = _labels(table, rows, label_separator if multi_label else None)
    sources = _sources(table, rows)
    return Records(sources, [row.path for row in rows], labels, splits, class_names)


def _read_rows(table, columns):
    read = _parquet_cells if table.suffix.lower() == ".parquet" else _csv_cells
    header, lines = read(table)
    for argument, column in columns.items():
        if column not in header and (argument, column) != ("data.split_column", "split"):
            raise _missing_column(table, argument, column, header)
    path_column, label_column, split_column = columns.values()
    return [
        _Row(where, cells[path_column].strip(), cells[label_column].strip(), cells.get(split_column, "").strip())
        for where, cells in lines
    ]


def _missing_column(table, argument, column, header):
    near = difflib.get_close_matches(column.lower(), [name.lower() for name in header], n=1, cutoff=0.5)
    nearest = next((name for name in header if near and name.lower() == near[0]), None)
    hint = f"did you mean --{argument} {nearest}" if nearest else f"name the right one with --{argument}"
    return InputError(f"The table {table} has no column {column!r}, only {', '.join(map(repr, header))}; {hint}?")


def _csv_cells(table):
    """Returns the header and, for each line, where it is and its cells by column, all as text."""
    reader = csv.DictReader(io.StringIO(_utf8(table), newline=""), delimiter=DELIMITERS[table.suffix.lower()])
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        lines = [(f"line {reader.line_num}", cells) for cells in reader]
    except csv.Error as error:
        raise InputError(f"The table {table} is not valid CSV at line {reader.line_num}: {error}; mend it.") from error
    for where, cells in lines:
        if None in cells:
            raise InputError(
                f"The table {table} has more cells at {where} than columns ({len(header)}): put cells that hold the "
                "delimiter into double quotes."
            )
    return header, [(where, {name: cell or "" for name, cell in cells.items()}) for where, cells in lines]


def _utf8(table):
    try:
        content = table.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the table {table}: {error.strerror}; check its path and rights.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"The table {table} is not UTF-8: byte 0x{content[error.start]:02x} at position {error.start}, line "
            f"{line}; save it as UTF-8, for example with `iconv -f latin1 -t utf-8`."
        ) from error


def _parquet_cells(table):
    """Returns the header and, for each row, where it is and its cells by column, all as text."""
    # Only Parquet needs it, and it takes longer to load than most tables take to read.
    pandas = importlib.import_module("pandas")
    try:
        frame = pandas.read_parquet(table)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot read {table} as Parquet: {one_line(error)}; check the file.") from error
    frame = frame.astype(object).where(frame.notna(), "").astype(str)
    lines = enumerate(frame.to_dict("records"), start=1)
    return list(frame.columns), [(f"row {number}", cells) for number, cells in lines]


def _split(table, row):
    if not row.split:
        return ""
    split = split_of_name(row.split)
    if split is None:
        raise InputError(
            f"The table {table} has the split {row.split!r} at {row.where}: expected train, validation, "
            "test or nothing."
        )
    return split


def _labels(table, rows, separator):
    """Returns the class names and the labels; a separator means multi-label."""
    named = [{row.label} if separator is None else _label_names(row.label, separator) for row in rows]
    empty = [row.where for row, names in zip(rows, named, strict=True) if "" in names]
    if empty:
        raise InputError(f"The table {table} has no label at {first_of(empty)}: fill the cells or remove the lines.")
    class_names = sorted_class_names(name for names in named for name in names)
    least = 2 if separator is None else 1
    if len(class_names) < least:
        raise InputError(
            f"The table {table} has {len(class_names)} class{'' if len(class_names) == 1 else 'es'} "
            f"({', '.join(class_names) or 'no label'}): expected {least} or more; check --data.label_column."
        )
    index = {name: label for label, name in enumerate(class_names)}
    if separator is None:
        return class_names, np.array([index[row.label] for row in rows], np.int32)
    labels = np.zeros((len(rows), len(class_names)), np.uint8)
    for row, names in enumerate(named):
        labels[row, [index[name] for name in names]] = 1
    return class_names, labels


def _label_names(cell, separator):
    return {name.strip() for name in cell.split(separator) if name.strip()}


def _sources(table, rows):
    """Returns the path of every image, after it was found to be inside the folder of the table and to be there."""
    # Compared as written, links unresolved: a data folder made of links to a store elsewhere is a common thing.
    root = os.path.abspath(os.path.dirname(table))
    paths = [os.path.normpath(os.path.join(root, row.path)) for row in rows]
    problems = {"no path": [], "a path out of its folder": [], "a path without a file": []}
    for row, path in zip(rows, paths, strict=True):
        if not row.path:
            problems["no path"].append(row.where)
        elif "\0" in path or not path.startswith(os.path.join(root, "")):
            problems["a path out of its folder"].append(f"{row.where}: {row.path}")
        elif not os.path.isfile(path):
            problems["a path without a file"].append(f"{row.where}: {row.path}")
    for problem, found in problems.items():
        if found:
            raise InputError(
                f"The table {table} has {problem} at {first_of(found)}: expected paths of image files, relative to "
                f"{root} and inside it."
            )
    return paths
