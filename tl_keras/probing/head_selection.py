"""Selects the features and the penalty of a solved head by the loss on examples that were held out."""

from dataclasses import dataclass

import numpy as np

from tl_keras.probing.discriminant import DiscriminantFits
from tl_keras.probing.linear_head import LogisticFits, Standardization, on_raw_features, to_probabilities

INVERSE_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
MANY_CLASSES = 300
"""Number of classes from which a discriminant replaces logistic regression, whose cost grows with it."""
MAX_SELECTION_ROWS = 1000
"""Training examples of a fold; more are sampled, since only the final fit needs all."""
MIN_PROBABILITY = 1e-7


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Names some of the features.

    Attributes:
        name: key in messages and records.
        columns: int (k,), their columns.
        groups: int (k,), the group of each of them, such as its block; see `Standardization`.
    """

    name: str
    columns: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Describes what one choice of features and penalty predicts for examples that were held out.

    Attributes:
        feature_set: `FeatureSet`.
        inverse_penalty: scikit-learn's `C`.
        rows: int64 (m,), the examples.
        probabilities: float64 (m, num_classes), the mean over repeated folds.
        losses: float64 (m,), the log-loss of each example.
    """

    feature_set: FeatureSet
    inverse_penalty: float
    rows: np.ndarray
    probabilities: np.ndarray
    losses: np.ndarray

    @property
    def loss(self):
        """Mean log-loss."""
        return float(self.losses.mean())


def measure_feature_set(features, labels, num_classes, feature_set, folds, class_weight=None, seed=0):
    """Finds the penalty with the lowest loss on held-out examples.

    Args:
        features: float32 (n, num_features).
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
        num_classes: number of classes.
        feature_set: `FeatureSet`.
        folds: list of (training rows, held-out rows), at least one.
        class_weight: "balanced" or None.
        seed: int, for sampling training rows.

    Returns:
        `HeldOut` of the best penalty.
    """
    parts = [_fold(features, labels, num_classes, feature_set, fold, class_weight, seed) for fold in folds]
    rows, multi_label = np.unique(np.concatenate([held_out for _, held_out in folds])), np.ndim(labels) == 2
    best = None
    for inverse_penalty in INVERSE_PENALTIES:
        logits, counts = np.zeros((len(features), num_classes)), np.zeros(len(features))
        for (fits, values), (_, held_out) in zip(parts, folds, strict=True):
            logits[held_out] += fits.fit(inverse_penalty).logits(values)
            counts[held_out] += 1
        probabilities = to_probabilities(logits[rows] / counts[rows, np.newaxis], multi_label)
        result = HeldOut(feature_set, inverse_penalty, rows, probabilities, log_losses(probabilities, labels[rows]))
        if best is not None and result.loss >= best.loss:
            break
        best = result
    return best


def choose(results):
    """Chooses among feature sets by the rule of one standard error.

    Args:
        results: list of `HeldOut` on the same rows, the simplest feature set first.

    Returns:
        The first whose mean loss is above the lowest one by at most one standard error of their paired difference.
    """
    best = min(results, key=lambda result: result.loss)
    return next(result for result in results if result.loss <= best.loss + standard_error(result.losses - best.losses))


def solve_head(features, labels, num_classes, feature_set, inverse_penalty, class_weight=None):
    """Solves a head on all examples.

    Args:
        features: float32 (n, num_features).
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
        num_classes: number of classes.
        feature_set: `FeatureSet`.
        inverse_penalty: scikit-learn's `C`.
        class_weight: "balanced" or None.

    Returns:
        `LinearHead` on the columns of the feature set.
    """
    chosen = features[:, feature_set.columns]
    standardization = Standardization.of(chosen, feature_set.groups)
    head = _fits(standardization(chosen), labels, num_classes, class_weight).fit(inverse_penalty)
    return on_raw_features(head, standardization)


def log_losses(probabilities, labels):
    """Computes the log-loss of each example, float64 (n,); multi-label: the mean over the classes.

    Args:
        probabilities: float (n, num_classes).
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
    """
    clipped = np.clip(probabilities, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    if np.ndim(labels) == 2:
        return -np.where(labels, np.log(clipped), np.log1p(-clipped)).mean(axis=1)
    return -np.log(np.take_along_axis(clipped, np.asarray(labels)[:, np.newaxis], axis=1)[:, 0])


def standard_error(values):
    """Computes the standard error of a mean.

    Args:
        values: float (n,).

    Returns:
        float; 0 for fewer than two values.
    """
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _fold(features, labels, num_classes, feature_set, fold, class_weight, seed):
    """Prepares the fits of one fold and the standardized features of its held-out rows."""
    train, held_out = fold
    if len(train) > MAX_SELECTION_ROWS and num_classes < MANY_CLASSES:
        train = _sample(labels, train, seed)
    chosen = features[np.ix_(train, feature_set.columns)]
    standardization = Standardization.of(chosen, feature_set.groups)
    fits = _fits(standardization(chosen), labels[train], num_classes, class_weight)
    return fits, standardization(features[np.ix_(held_out, feature_set.columns)])


def _fits(features, labels, num_classes, class_weight):
    if num_classes < MANY_CLASSES or np.ndim(labels) == 2:
        return LogisticFits(features, labels, num_classes, class_weight)
    return DiscriminantFits(features, labels, num_classes)


def _sample(labels, rows, seed):
    """Samples rows so that small classes keep theirs: round after round, one row of each class."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    if np.ndim(labels) == 2:
        return shuffled[:MAX_SELECTION_ROWS]
    order = np.argsort(labels[shuffled], kind="stable")
    _, starts = np.unique(labels[shuffled][order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    return np.sort(shuffled[order[np.argsort(rank, kind="stable")[:MAX_SELECTION_ROWS]]])
