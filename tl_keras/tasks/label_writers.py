"""Writes predicted labels as a table to read, as CSV or as JSON lines.

A writer is a context manager that gives a function of (item, labels). Labels are (class name, probability), the most
probable first.
"""

import contextlib
import csv
import json

from tl_keras.system.escaping import csv_cell, for_terminal

TOP = 3
"""Classes that are named for each item where --top is not given."""
MAX_SHOWN = 200
"""Characters of a text that a table shows; the other formats hold all of it."""


@contextlib.contextmanager
def table_writer(stream, top, kind):
    """Writes a line for each item."""

    def write(item, labels):
        line = _one_line(item) if kind == "text" else item
        shown = "  ".join(f"{name} {probability:.1%}" for name, probability in labels)
        stream.write(for_terminal(f"{line}  {shown}") + "\n")

    yield write


@contextlib.contextmanager
def csv_writer(stream, top, kind):
    """Writes a row for each item, `top` pairs of label and probability wide; formulas are escaped."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([kind, *(f"{part}_{rank}" for rank in range(1, top + 1) for part in ("label", "probability"))])

    def write(item, labels):
        cells = [cell for name, probability in labels for cell in (csv_cell(name), f"{probability:.6f}")]
        writer.writerow([csv_cell(item), *cells])

    yield write


@contextlib.contextmanager
def jsonl_writer(stream, top, kind):
    """Writes a JSON object for each item."""

    def write(item, labels):
        line = {kind: item, "labels": [{"label": name, "probability": probability} for name, probability in labels]}
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    yield write


def _one_line(text):
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]} …"


LABEL_WRITERS = {"table": table_writer, "csv": csv_writer, "jsonl": jsonl_writer}
