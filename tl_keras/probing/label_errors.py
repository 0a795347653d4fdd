"""Finds labels that are probably wrong, by confident learning on out-of-fold probabilities."""

from dataclasses import dataclass

import numpy as np

from tl_keras.probing.head_selection import solve_head


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Holds the suspicious examples, the most suspicious first.

    Attributes:
        rows: int64 (m,), the examples.
        suggested: int64 (m,), the class suggested for each.
        confident: bool (m,), whether a class reaches its confident threshold in the place of the label.
    """

    rows: np.ndarray
    suggested: np.ndarray
    confident: np.ndarray

    @property
    def confident_share(self):
        """Number of the confident ones as a clause, such as "2 of them confidently"."""
        return f"{self.confident.sum() or 'none'} of them confidently"


def find_label_errors(probabilities, labels):
    """Finds examples to which a model gives another class than their label.

    The threshold of a class is its mean probability over the examples with its label (Northcutt et al. 2021,
    https://arxiv.org/abs/1911.00068, section 3.1, equation 2). An example is suspicious if another class has a larger
    ratio of probability to threshold than the label, and comes first if the ratio of its label is low. The suspicion is
    confident as in equation 1: the most probable class among those that reach their threshold is not the label.

    Args:
        probabilities: float (n, num_classes), of models that have not learned from the example itself.
        labels: int (n,).

    Returns:
        `LabelErrors`.
    """
    thresholds = _thresholds(probabilities, labels)
    # A class without an example has an infinite threshold and is never suggested.
    ratios = probabilities / np.maximum(thresholds, 1e-12)
    reached = np.where(ratios >= 1, probabilities, -1)
    confident = (reached.max(axis=1) >= 0) & (reached.argmax(axis=1) != labels)
    suggested = np.where(confident, reached.argmax(axis=1), ratios.argmax(axis=1))
    rows = np.flatnonzero(suggested != labels)
    rows = rows[np.argsort(ratios[rows, labels[rows]], kind="stable")]
    return LabelErrors(rows, suggested[rows], confident[rows])


def out_of_fold_probabilities(features, labels, num_classes, feature_set, inverse_penalty, folds, class_weight=None):
    """Computes the probabilities of each example by heads that have not learned from it.

    Args:
        features: float32 (n, num_features).
        labels: int (n,).
        num_classes: number of classes.
        feature_set: `FeatureSet`.
        inverse_penalty: scikit-learn's `C`.
        folds: list of (training rows, held-out rows), as `make_folds` returns it with `every`.
        class_weight: "balanced" or None.

    Returns:
        float64 (n, num_classes), the mean over repeated folds; one for the label of an example that is held out in no
        fold, since it is the only one of its class.
    """
    probabilities, counts = np.zeros((len(labels), num_classes)), np.zeros((len(labels), 1))
    for train, held_out in folds:
        head = solve_head(features[train], labels[train], num_classes, feature_set, inverse_penalty, class_weight)
        probabilities[held_out] += head.probabilities(features[np.ix_(held_out, feature_set.columns)])
        counts[held_out] += 1
    alone = counts[:, 0] == 0
    probabilities[alone, labels[alone]] = 1
    return probabilities / np.maximum(counts, 1)


def _thresholds(probabilities, labels):
    """Returns the mean probability of each class over the examples with its label; infinity without such examples."""
    given = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, given, minlength=probabilities.shape[1])
    return np.divide(sums, counts, out=np.full(len(counts), np.inf), where=counts > 0)
