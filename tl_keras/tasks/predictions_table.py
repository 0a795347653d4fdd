"""A table of all examples of a run with their splits and labels, and the predictions of the test examples."""

import csv

import numpy as np

from tl_keras import evaluation
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell

SEPARATOR = "|"
"""Separator of several labels, as in the tables that are read."""


def write_predictions(path, parts, predictions, columns):
    """Writes `predictions.csv`; cells that spreadsheets would take for formulas are escaped.

    Args:
        path: the file.
        parts: list of (name of the split, labels, class names, cells); cells is a list of the first cells of each row.
            Labels are int (n,) or for multi-label (n, num_classes).
        predictions: float32 (n, num_classes) for the last part; the others have none.
        columns: names of the first cells, such as ["name"].
    """
    with open_csv(path) as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "split", "label", "prediction", "probability"])
        for number, (split, labels, class_names, cells) in enumerate(parts, start=1):
            scores = predictions if number == len(parts) else [None] * len(labels)
            for first, label, row in zip(cells, labels, scores, strict=True):
                names = _names(class_names, label)
                writer.writerow([*map(csv_cell, (*first, split, names)), *_prediction(class_names, label, row)])


def predicted_classes(scores, multi_label):
    """Returns the numbers of the predicted classes of an example: the most probable, or all that are probable enough.

    Args:
        scores: float (num_classes,), the probabilities.
        multi_label: True if an example may belong to any number of classes.

    Returns:
        Sequence of int.
    """
    return np.flatnonzero(scores >= evaluation.THRESHOLD) if multi_label else [scores.argmax()]


def _prediction(class_names, label, scores):
    """Returns the cells of a prediction: names and probabilities."""
    if scores is None:
        return "", ""
    classes = predicted_classes(scores, multi_label=np.ndim(label) > 0)
    probabilities = SEPARATOR.join(f"{scores[one]:.6f}" for one in classes)
    return csv_cell(SEPARATOR.join(class_names[one] for one in classes)), probabilities


def _names(class_names, label):
    return (
        class_names[label] if np.ndim(label) == 0 else SEPARATOR.join(class_names[one] for one in np.flatnonzero(label))
    )
