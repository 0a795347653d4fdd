"""Folds of cross-validation that leave no class without a training example."""

import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

FOLDS = 5
REPEATED_BELOW = 150
"""Number of examples below which cross-validation is repeated."""
EVERY_REPEATED_BELOW = 2000
"""The same where every example must be held out: a judgement of single examples gains more from repetition."""
REPEATS = 3
FEWER_FROM = 1000
"""Number of examples from which only `FEWER` of the folds are used: enough are held out, and each fold costs more."""
FEWER = 2


def make_folds(labels, seed=0, every=False):
    """Divides examples into folds, stratified by class where each example has one.

    A class with a single example stays in the training part of every fold. Below `REPEATED_BELOW` examples the division
    is repeated with other random numbers; from `FEWER_FROM` on, not every fold is used.

    Args:
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
        seed: int, at least 0.
        every: whether to use every fold of many examples, too, so that each is held out, and to repeat the division
            below `EVERY_REPEATED_BELOW`.

    Returns:
        List of (training rows, held-out rows), int64 each; empty if no example can be held out.
    """
    labels = np.asarray(labels)
    repeats = REPEATS if len(labels) < (EVERY_REPEATED_BELOW if every else REPEATED_BELOW) else 1
    folds = [fold for repeat in range(repeats) for fold in _divide(labels, np.random.default_rng([seed, repeat]))]
    return folds if every or len(labels) < FEWER_FROM else folds[:FEWER]


def _divide(labels, generator):
    random_state = int(generator.integers(2**31))
    if labels.ndim == 2:
        rows, count = np.arange(len(labels)), min(FOLDS, len(labels))
        if count < 2:
            return []
        parts = KFold(count, shuffle=True, random_state=random_state).split(rows)
    else:
        counts = np.bincount(labels, minlength=1)
        rows, count = np.flatnonzero(counts[labels] > 1), min(FOLDS, counts.max(initial=0))
        if count < 2:
            return []
        with warnings.catch_warnings():
            # A class with fewer examples than folds is held out in some of them only.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            parts = list(StratifiedKFold(count, shuffle=True, random_state=random_state).split(rows, labels[rows]))
    every = np.arange(len(labels))
    return [(np.setdiff1d(every, rows[held_out]), rows[held_out]) for _, held_out in parts]
