"""Predicts what more labels would bring, from models that learn from parts of the labels there are."""

from dataclasses import dataclass

import numpy as np

from tl_keras.errors import counted
from tl_keras.probing.label_curve import HORIZON, PERCENTILES, fit_label_curve

SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the training rows of a fold that models learn from."""
FOLDS = 3
LABEL_NUMBERS = (100, 50, 20, 10)
"""Numbers of further labels; the first that the label curve reaches is taken."""
MAX_LABELS = 2000
"""Labels from which a hundred more change little, and the models cost more."""
MIN_LABELS = 10
"""Labels of each class from which an eighth of the training rows of a fold, four fifths of them, holds each class."""
RESAMPLES = 200


@dataclass(frozen=True)
class LabelGain:
    """Holds what more labels would bring.

    Attributes:
        labels: number of further labels.
        low: gain in accuracy at the lower end of its range, at least 0.
        high: gain at the upper end.
        mistakes: number of held-out examples about which the models of all labels are wrong.
    """

    labels: int
    low: float
    high: float
    mistakes: int


def predict_label_gain(labels, num_classes, folds, predict, seed=0):
    """Predicts the gain in accuracy from further labels like those there are, by a `LabelCurve`.

    Args:
        labels: int (n,).
        num_classes: number of classes.
        folds: list of (training rows, held-out rows).
        predict: function of training rows and held-out rows that trains a model and returns the classes that it
            predicts, int (m,).
        seed: int, for the parts and the resamples.

    Returns:
        `LabelGain` with the 5th and the 95th percentile over resampled examples; None with a `reason_against_gain`, or
        no mistake with all labels.
    """
    if reason_against_gain(labels, num_classes, folds):
        return None
    folds, generator = folds[:FOLDS], np.random.default_rng(seed)
    count, number = _mean_count(folds), _choose_number(labels, folds)
    mistakes = np.stack([_mistakes(labels, folds, predict, share, generator) for share in SHARES])
    if not mistakes[-1].any():
        return None
    rows = generator.integers(mistakes.shape[1], size=(RESAMPLES, mistakes.shape[1]))
    # Without a mistake the logarithm would be infinite: the rule of succession for half an example.
    errors = np.maximum(mistakes[:, rows].mean(axis=2).T, 0.5 / mistakes.shape[1])
    curve = fit_label_curve([share * count for share in SHARES], errors)
    gains = curve.errors_at(len(labels)) - curve.errors_at(len(labels) + number)
    low, high = np.percentile(gains, PERCENTILES)
    return LabelGain(number, float(low), float(high), int(mistakes[-1].sum()))


def reason_against_gain(labels, num_classes, folds):
    """Finds why labels have no label curve.

    Args:
        labels: int (n,).
        num_classes: number of classes.
        folds: list of (training rows, held-out rows).

    Returns:
        A clause, or "" if they have one.
    """
    if len(labels) > MAX_LABELS:
        return f"from {MAX_LABELS:,} labels on, {LABEL_NUMBERS[0]} more change little"
    folds = folds[:FOLDS]
    if _choose_number(labels, folds) is None or SHARES[0] * _mean_count(folds) < num_classes:
        return (
            f"that takes about {MIN_LABELS} labels of each class, and here are {len(labels)} of "
            f"{counted(num_classes, 'class')}"
        )
    return ""


def _choose_number(labels, folds):
    """Chooses the number of further labels; None if the label curve reaches none."""
    return next((number for number in LABEL_NUMBERS if len(labels) + number <= HORIZON * _mean_count(folds)), None)


def _mean_count(folds):
    return np.mean([len(train) for train, _ in folds]) if folds else 0


def _mistakes(labels, folds, predict, share, generator):
    """Returns for the held-out rows of all folds whether models on a share of the training rows are wrong."""
    parts = [(_part(labels, train, share, generator), held_out) for train, held_out in folds]
    return np.concatenate([predict(rows, held_out) != labels[held_out] for rows, held_out in parts])


def _part(labels, rows, share, generator):
    """Draws a share of the rows of each class, at least one."""
    shuffled = generator.permutation(rows)
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    kept = np.maximum(1, np.round(share * counts)).astype(int)
    return np.sort(np.concatenate([order[start : start + number] for start, number in zip(starts, kept, strict=True)]))
