"""The error for columns that a table lacks, with what it probably has in their place."""

import difflib

from tl_keras.data.label_cells import is_class_column
from tl_keras.data.reading.delimited import DELIMITERS
from tl_keras.data.wording import excerpt
from tl_keras.errors import MAX_LISTED, InputError

TEXT_COLUMNS = ("text", "texts", "sentence", "review", "comment", "message", "content", "title", "headline", "tweet")
"""Names by which a column of texts is recognised where images are expected."""
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


def missing_columns(table, missing, header, rows):
    """Builds the error for columns that a table lacks, with the nearest ones.

    Args:
        table: path of the table.
        missing: list of (flag that names the column, column).
        header: names of the columns that it has.
        rows: list of (place, iterable of (column, cell)), which are used up.

    Returns:
        An `InputError`.
    """
    if not header:
        return InputError(f"The table {table} is empty: expected column names and at least one row.")
    hints = (
        _hint(table, argument, column, header, _class_columns(argument, header, rows)) for argument, column in missing
    )
    names = " and ".join(f"no column {column!r}" for _, column in missing)
    return InputError(f"The table {table} has {names}, only {_listed(header)}; {' '.join(dict.fromkeys(hints))}")


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


def _hint(table, argument, column, header, class_columns):
    """Returns the end of a sentence on how to name a column that is missing."""
    joined = [name for mark, name in _OTHER_DELIMITERS.items() if len(header) == 1 and mark in header[0]]
    near = difflib.get_close_matches(column.lower(), [name.lower() for name in header], n=1, cutoff=0.5)
    nearest = next((name for name in header if near and name.lower() == near[0]), None)
    if joined:
        return f"it seems to have {joined[0]} between its columns: save it with {_delimiter_name(table)}."
    if argument == "data.path_column" and (texts := [name for name in header if name.lower() in TEXT_COLUMNS]):
        named = "" if texts[0] == "text" else f" --text.text_column {texts[0]}"
        return f"a table of texts is for --task text_classification{named}; images need a column of their paths."
    if len(class_columns) > 1:
        return (
            f"some hold zeros and ones: for a column for each class, give --{argument} "
            f'"[{", ".join(class_columns)}]", with --data.multi_label true if an example may have several.'
        )
    if nearest and "[" in argument:
        return f'did you mean {nearest!r}? Give all names with --{argument.partition("[")[0]} "[A, B, ...]".'
    if nearest:
        return f"did you mean --{argument} {nearest}?"
    return f"name the right one with --{argument.partition('[')[0]}."


def _listed(header):
    more = f" and {len(header) - MAX_LISTED} more" if len(header) > MAX_LISTED else ""
    return ", ".join(repr(excerpt(name)) for name in header[:MAX_LISTED]) + more


def _delimiter_name(table):
    return _OTHER_DELIMITERS[DELIMITERS.get(table.suffix.lower(), ",")]
