"""Writes predicted labels as a table to read, as CSV or as JSON lines.

A writer is a context manager that gives a function of (item, labels). An item is the path of a file or a `TextItem`.
Labels are (class name, probability), the most probable first. Where a minimum confidence is given, each item also gets
a decision: its most probable class, or "unsure".
"""

import contextlib
import csv
import json
import re

from tl_keras.data.texts.text_items import TextItem
from tl_keras.errors import InputError, quoted
from tl_keras.system.escaping import csv_cell, for_terminal
from tl_keras.tasks.unsure import decide

TOP = 3
"""Classes that are named for each item where --top is not given."""
DECISION = "decision"
"""Column of the class that was decided for, or "unsure"."""
MAX_SHOWN = 200
"""Characters of a text that a table shows; the other formats hold all of it."""

_UNWRITABLE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters, without those that stand for bytes of file names."""


@contextlib.contextmanager
def table_writer(stream, top, kind, min_confidence=None):
    """Writes a line for each item."""

    def write(item, labels):
        line = _one_line(item.text) if isinstance(item, TextItem) else item
        shown = "  ".join(f"{name} {probability:.1%}" for name, probability in labels)
        decision = "".join(f"{one}:  " for one in _decision(labels, min_confidence).values())
        stream.write(for_terminal(f"{line}  {decision}{shown}") + "\n")

    yield write


@contextlib.contextmanager
def csv_writer(stream, top, kind, min_confidence=None):
    """Writes a row for each item: its columns, then `top` pairs of label and probability; formulas are escaped."""
    writer = csv.writer(stream, lineterminator="\n")
    names = [f"{part}_{rank}" for rank in range(1, top + 1) for part in ("label", "probability")]
    names = [*([] if min_confidence is None else [DECISION]), *names]
    header = []

    def write(item, labels):
        own = item_cells(item, kind)
        if not header:
            refuse_columns(own, names)
            header.extend([*own, *names])
            writer.writerow(csv_cell(as_text(name)) for name in header)
        cells = [csv_cell(one) for one in _decision(labels, min_confidence).values()]
        cells += [cell for name, probability in labels for cell in (csv_cell(name), f"{probability:.6f}")]
        writer.writerow([*(csv_cell(as_text(cell)) for cell in own.values()), *cells])

    yield write
    if not header:
        writer.writerow([kind, *names])


@contextlib.contextmanager
def jsonl_writer(stream, top, kind, min_confidence=None):
    """Writes a JSON object for each item: its columns and `labels`."""

    def write(item, labels):
        own = item_cells(item, kind)
        decision = _decision(labels, min_confidence)
        refuse_columns(own, [*decision, "labels"])
        line = (
            own | decision | {"labels": [{"label": name, "probability": probability} for name, probability in labels]}
        )
        stream.write(as_json(line) + "\n")

    yield write


def _decision(labels, min_confidence):
    """Returns a dict of the decision on an item; empty without a minimum confidence."""
    return {} if min_confidence is None else {DECISION: decide(labels, min_confidence)}


def item_cells(item, kind):
    """Returns the columns of an item, a dict.

    Args:
        item: `TextItem`, or path of a file, perhaps a `TableImage`.
        kind: column of a path alone, such as "file".
    """
    return getattr(item, "cells", None) or {kind: item}


def refuse_columns(cells, names):
    """Refuses columns that the predictions have, too.

    Args:
        cells: columns of an item, a dict.
        names: names of the columns of the predictions.

    Raises:
        InputError: names the column.
    """
    for name in names:
        if name in cells:
            raise InputError(f"The table has a column {quoted(name)}, as the predictions would: rename it.")


def as_text(cell):
    """Formats a cell for CSV, a str: texts as they are, other values as JSON."""
    if cell is None or isinstance(cell, str):
        return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", cell or "")
    return as_json(cell)


def as_json(value):
    """Formats a value as JSON, a str, also one of NumPy or pandas."""
    text = json.dumps(value, ensure_ascii=False, default=_plain_value)
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _plain_value(value):
    """Converts a value of NumPy or pandas, which JSON does not know."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _one_line(text):
    line = " ".join((" | ".join(text) if isinstance(text, tuple) else text).split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]} …"


LABEL_WRITERS = {"table": table_writer, "csv": csv_writer, "jsonl": jsonl_writer}
