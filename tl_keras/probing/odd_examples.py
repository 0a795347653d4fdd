"""Finds near-duplicates, examples far from all others, and classes that cannot be distinguished, on features."""

import numpy as np
from threadpoolctl import threadpool_limits

from tl_keras.probing.label_selection import NEAR_DUPLICATE, NEIGHBOURS

BLOCK = 1000
"""Rows that are compared with all others at once."""
FENCE = 3
"""Interquartile ranges above the third quartile from which a distance is far (Tukey's outer fence)."""
MIN_PAIR = 10
"""Examples of two classes from which their separation is judged."""


def compare_all(points):
    """Compares each example with all others.

    Args:
        points: float32 (n, width), of length 1 each.

    Returns:
        Tuple of the pairs of near-duplicates, list of (row, other row above it), and the rows of examples that are far
        from all others, int64 (k,), the farthest first.
    """
    pairs, distances = [], np.zeros(len(points))
    count = min(NEIGHBOURS, len(points) - 1)
    for start in range(0, len(points), BLOCK):
        with threadpool_limits(1):
            similarities = points[start : start + BLOCK] @ points.T
        rows = np.arange(len(similarities))
        similarities[rows, start + rows] = -2
        near = np.argwhere(similarities >= NEAR_DUPLICATE) + [start, 0]
        pairs += [(int(row), int(other)) for row, other in near if row < other]
        nearest = np.partition(similarities, -count, axis=1)[:, -count:] if count else np.ones((len(rows), 1))
        distances[start + rows] = 1 - nearest.mean(axis=1)
    lower, upper = np.quantile(distances, [0.25, 0.75])
    far = np.flatnonzero(distances > upper + FENCE * (upper - lower))
    return pairs, far[np.argsort(-distances[far], kind="stable")]


def inseparable_classes(probabilities, labels):
    """Finds pairs of classes that a head distinguishes hardly better than chance.

    Args:
        probabilities: float (n, num_classes), of models that have not learned from the example itself.
        labels: int (n,).

    Returns:
        List of (class, other class, share of their examples that have the right one of the two), the lowest first; the
        mean of the shares of both classes exceeds one half by less than two standard errors.
    """
    found = []
    for one in range(probabilities.shape[1]):
        for other in range(one + 1, probabilities.shape[1]):
            right = [
                probabilities[labels == first, first] > probabilities[labels == first, second]
                for first, second in ((one, other), (other, one))
            ]
            if min(map(len, right)) < 2 or sum(map(len, right)) < MIN_PAIR:
                continue
            share = np.mean([values.mean() for values in right])
            error = np.sqrt(sum(values.var(ddof=1) / len(values) for values in right)) / 2
            if share - 2 * error < 0.5:
                found.append((one, other, float(share)))
    return sorted(found, key=lambda pair: pair[2])
