"""The most confident mistakes of a text classifier, as rows to read."""

import csv
from pathlib import Path

import numpy as np

from tl_keras import data, evaluation
from tl_keras.system.csv_files import open_csv
from tl_keras.system.escaping import csv_cell

MAX_MISTAKES = 20
MAX_CHARACTERS = 500


def worst_text_mistakes(examples, probabilities):
    """Lists the most confident mistakes.

    Args:
        examples: `TokenSet` or `Records` of n texts with their labels.
        probabilities: float32 (n, num_classes).

    Returns:
        List of dict(text, true, predicted, probability), the most confident first, at most `MAX_MISTAKES`.
    """
    texts = texts_of(examples)
    rows = evaluation.worst_mistakes(examples.labels, probabilities, MAX_MISTAKES)
    return [_describe(one_line(texts[row]), examples, row, probabilities[row]) for row in rows]


def write_mistakes(mistakes, path):
    """Writes mistakes as CSV, or removes the file if there are no mistakes.

    Cells that spreadsheets would take for formulas are escaped.

    Args:
        mistakes: what `worst_text_mistakes` returned.
        path: the file.
    """
    if not mistakes:
        Path(path).unlink(missing_ok=True)
        return
    with open_csv(path) as file:
        writer = csv.DictWriter(file, ["text", "true", "predicted", "probability"])
        writer.writeheader()
        for mistake in mistakes:
            writer.writerow({name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in mistake.items()})


def texts_of(examples):
    """Returns the texts of a `TokenSet` or of `Records`, str or, for pairs, tuples of two str."""
    return examples.sources if isinstance(examples, data.Records) else examples.texts


def one_line(text):
    """Joins the two texts of a pair."""
    return " | ".join(text) if isinstance(text, tuple) else text


def shorten(text, length=MAX_CHARACTERS):
    """Cuts a text to a number of characters and marks the cut."""
    return text if len(text) <= length else f"{text[:length]} …"


def _describe(text, examples, row, scores):
    label = examples.labels[row]
    if examples.labels.ndim == 1:
        true, predicted, probability = [label], [scores.argmax()], scores.max()
    else:
        true, predicted = np.flatnonzero(label), np.flatnonzero(scores >= evaluation.THRESHOLD)
        probability = np.abs(label - scores).max()
    return {
        "text": shorten(text),
        "true": _names(examples, true),
        "predicted": _names(examples, predicted),
        "probability": float(probability),
    }


def _names(examples, classes):
    return ", ".join(examples.class_names[index] for index in classes) or "none"
