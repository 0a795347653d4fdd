"""Finds labels that are probably wrong, by confident learning on out-of-fold probabilities."""

import numpy as np


def find_label_errors(probabilities, labels):
    """Finds examples that a model would confidently give another class than their label.

    Northcutt et al. 2021 (https://arxiv.org/abs/1911.00068, section 3.1, equations 1 and 2): a class is confident for
    an example if its probability is at least the mean probability of this class over the examples with its label. The
    example is suspicious if the most probable of its confident classes is not its label.

    Args:
        probabilities: float (n, num_classes), of models that have not learned from the example itself.
        labels: int (n,).

    Returns:
        Tuple of the rows of the suspicious examples, int64 (m,), the most suspicious first, and the suggested class of
        each, int64 (m,). An example is more suspicious the more the probability of the suggestion exceeds that of the
        label.
    """
    given = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, given, minlength=probabilities.shape[1])
    thresholds = np.divide(sums, counts, out=np.full(len(counts), np.inf), where=counts > 0)
    confident = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = confident.argmax(axis=1)
    rows = np.flatnonzero((confident.max(axis=1) >= 0) & (suggested != labels))
    excess = probabilities[rows, suggested[rows]] - given[rows]
    rows = rows[np.argsort(-excess, kind="stable")]
    return rows, suggested[rows]
