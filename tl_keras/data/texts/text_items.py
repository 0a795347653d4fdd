"""Texts of a command line: given as arguments, on the standard input, in files of lines, tables or folders."""

import io
import os
import sys
from dataclasses import dataclass

from tl_keras.data.data_errors import Faults
from tl_keras.data.reading.equal_columns import with_equal_columns
from tl_keras.data.reading.folders import IMAGE_SUFFIXES, list_files
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, TABLE_SUFFIXES, read_rows
from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8
from tl_keras.data.texts.checks import text_problem
from tl_keras.data.texts.folders import TEXT_SUFFIXES, read_text_files
from tl_keras.errors import InputError, counted, quoted
from tl_keras.system.stored.files import read_bytes


@dataclass(frozen=True)
class TextItem:
    """Holds a text to predict, and what is written beside its prediction.

    Attributes:
        text: str, or a tuple of two for a pair.
        cells: dict from column to value: the whole row of a table, or the text alone, or with the path of its file.
    """

    text: str | tuple[str, str]
    cells: dict


def find_text_items(arguments, columns=DEFAULT_COLUMNS, *, are_files=False):
    """Collects the texts of a command line.

    Args:
        arguments: list of texts and paths. A table stands for its rows, a folder for its .txt files, each of which is a
            text, and any other file for its lines. "-" stands for the lines of the standard input.
        columns: `TableColumns` with the columns of the texts in tables. With a second one, only tables are accepted.
        are_files: all arguments are paths.

    Returns:
        List of `TextItem` without empty texts, at least one; all have the same columns.

    Raises:
        InputError: a file is missing or cannot be read, or there is no text at all.
    """
    items = []
    for argument in arguments:
        found = _read(argument, columns, are_files)
        if columns.second_text is not None and any(isinstance(item.text, str) for item in found):
            raise InputError(
                f"This run takes pairs of texts, got {quoted(argument)}: give a table with the columns "
                f"{columns.text!r} and {columns.second_text!r}, or call tl_keras.load_run(RUN).predict."
            )
        items += found
    kept = [item for item in items if not _is_empty(item.text)]
    if not kept:
        raise InputError('No text found: give texts in quotes, "-" for the standard input, files or folders.')
    if empty := len(items) - len(kept):
        print(f"note: {counted(empty, 'empty text was', 'empty texts were')} left out", file=sys.stderr)
    return _with_equal_columns(kept)


def _read(argument, columns, are_files):
    """Returns the list of `TextItem` of an argument."""
    if argument == "-":
        return _plain(_lines(sys.stdin.buffer.read(), "The standard input"))
    suffix = os.path.splitext(argument)[1].lower()
    if not os.path.exists(argument):
        if are_files or (suffix in TABLE_SUFFIXES | TEXT_SUFFIXES and not any(map(str.isspace, argument))):
            raise InputError(f"Cannot read {quoted(argument)} (no such file or folder): check its path.")
        if suffix in IMAGE_SUFFIXES and not any(map(str.isspace, argument)):
            raise _image_error(argument)
        return _plain([argument])
    if os.path.isdir(argument):
        return _read_folder(argument)
    if suffix in TABLE_SUFFIXES:
        return _read_table(argument, columns)
    if suffix in IMAGE_SUFFIXES:
        raise _image_error(argument)
    texts = _lines(_read_file(argument), f"The file {argument!r}")
    print(f"note: each of the {counted(len(texts), 'line')} of {argument} is a text", file=sys.stderr)
    return _plain(texts)


def _image_error(argument):
    return InputError(f"{quoted(argument)} is an image, but this run takes texts: give texts, tables or text files.")


def _plain(texts):
    return [TextItem(text, {"text": text}) for text in texts]


def _read_table(table, columns):
    flags = {"text_column": columns.text}
    if columns.second_text is not None:
        flags["second_text_column"] = columns.second_text
    items, faults = [], Faults(f"The table {table}")
    for place, row, texts in read_rows(table, flags, faults):
        texts = tuple(texts.values())
        for problem in filter(None, map(text_problem, (text for text in texts if text != ""))):
            faults.add(problem, place)
        items.append(TextItem(texts if len(texts) > 1 else texts[0], row))
    faults.raise_if_any()
    return items


def _read_folder(folder):
    files = list_files(folder, TEXT_SUFFIXES)
    if not files:
        raise InputError(
            f"No .txt file found in the folder {folder!r}: give a folder of texts or a table; a text of this name is "
            'read from the standard input with "-".'
        )
    faults = Faults(f"The folder {folder}")
    texts = read_text_files(files, files, faults)
    faults.raise_if_any()
    return [TextItem(text, {"file": file, "text": text}) for file, text in zip(files, texts, strict=True)]


def _is_empty(text):
    return not all(part.strip() for part in (text if isinstance(text, tuple) else (text,)))


def _with_equal_columns(items):
    rows = with_equal_columns([item.cells for item in items])
    return [TextItem(item.text, row) for item, row in zip(items, rows, strict=True)]


def _read_file(path):
    try:
        return read_bytes(path)
    except OSError as error:
        raise InputError(
            f"Cannot read {path!r} ({error.strerror}): expected a file with one text in each line."
        ) from None


def _lines(content, origin):
    try:
        return [line.rstrip("\n") for line in io.StringIO(decode_utf8(content), newline=None)]
    except NotUtf8 as error:
        raise InputError(f"{origin} is not UTF-8 ({error.reason}): save it as UTF-8.") from error
