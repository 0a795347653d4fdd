"""Test examples of a run, from the data that it was trained on, where they can still be found."""

import os
from dataclasses import dataclass

import numpy as np

from tl_keras.data.reading.delimited import read_delimited
from tl_keras.data.reading.locations import TFDS_PREFIX
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system.escaping import csv_cell
from tl_keras.system.spreading import spread_rows

MAX_EXAMPLES = 8
MAX_TABLE_BYTES = 2**26
"""Size of a table of predictions up to which it is read for examples."""


@dataclass(frozen=True)
class Example:
    """Holds an example that the network has not been trained on."""

    value: str | tuple[str, str]
    """Path of an image, a text, or a pair of texts."""
    label: str
    """Its class, or its classes, in the data."""


def find_examples(run, count=MAX_EXAMPLES):
    """Finds test examples of a run, evenly spread.

    Args:
        run: `TrainedRun`.
        count: maximum number of examples.

    Returns:
        List of `Example`; empty if the data or the names of the test examples are no longer there, or if the data might
        have to be downloaded.
    """
    path = run.config.data.path
    if path.startswith(TFDS_PREFIX):
        return []
    try:
        tested = read_test_names(run.folder)
        records = run.task.find_labelled(run.config, path) if tested else ()
    except (InputError, OSError):
        return []
    rows = [row for row in range(len(records)) if _is_shown(run, records, row, tested)]
    chosen = [rows[place] for place in spread_rows(rows, count)]
    return [Example(records.sources[row], _label(records, row)) for row in chosen]


def read_test_names(folder):
    """Reads the names of the test examples from what a run wrote about them.

    Args:
        folder: `pathlib.Path` of the run folder, which may come from a stranger.

    Returns:
        Set of str, escaped as in `predictions.csv`.

    Raises:
        InputError: a file is damaged.
    """
    table, detections = folder / "predictions.csv", folder / "detections.json"
    if os.path.isfile(table) and os.path.getsize(table) <= MAX_TABLE_BYTES:
        header, rows = read_delimited(table)
        if {"name", "split"} <= set(header):
            name, split = header.index("name"), header.index("split")
            return {cells[name] for _, cells in rows if cells[split] == "test"}
    if os.path.isfile(detections):
        return _names_in_coco(RunFolder(folder).read_json(detections.name))
    return set()


def _names_in_coco(document):
    truth = document.get("truth")
    images = truth.get("images") if isinstance(truth, dict) else None
    names = (one.get("file_name") for one in images if isinstance(one, dict)) if isinstance(images, list) else ()
    return {csv_cell(name) for name in names if isinstance(name, str)}


def _is_shown(run, records, row, tested):
    source = records.sources[row]
    # An image that a table or a data set holds has no file to show.
    usable = run.task.takes_texts or (isinstance(source, str) and os.path.isfile(source))
    return usable and csv_cell(records.names[row]) in tested


def _label(records, row):
    label = records.labels[row]
    # Boxes have a list of classes, several labels are one-hot, and one label is a number.
    is_multi_hot = isinstance(records.labels, np.ndarray) and records.labels.ndim == 2
    classes = np.flatnonzero(label) if is_multi_hot else np.unique(label)
    return ", ".join(records.class_names[one] for one in classes)
