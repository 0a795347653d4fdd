"""Chooses unlabelled examples to label next: typical ones of clusters, or those that a head is uncertain about."""

import warnings
from collections import deque

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

NEIGHBOURS = 5
"""Nearest members of its cluster that the typicality of an example is measured by."""
CANDIDATES = 3
"""Uncertain examples for each one that is chosen."""
NEAR_DUPLICATE = 0.98
"""Cosine similarity of two examples of which one is left out."""
MAX_FIT = 20_000
"""Examples that the clusters are fitted to; the others are assigned to them."""
MAX_MEMBERS = 1000
"""Examples nearest to the centre of a cluster among which the typical one is sought."""


def select_typical(points, count, known=None, seed=0):
    """Chooses examples where no label is known: the most typical one of each of `count` clusters.

    Hacohen et al. 2022, "Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets"
    (https://arxiv.org/abs/2202.02794, section 3.2): the typicality of an example is the inverse of the mean distance to
    its nearest neighbours (equation 4); here those are sought within its cluster.

    Args:
        points: float32 (n, width), of length 1 each.
        count: number of examples to choose, 1 to n.
        known: float32 (m, width), labelled examples, whose near-duplicates are not chosen; None without any.
        seed: int.

    Returns:
        Chosen rows, int64 (k,), that of the largest cluster first; fewer than `count` if too many are near-duplicates.
    """
    clusters, centres = _cluster(points, count, None, seed)
    members = [_by_typicality(points, np.flatnonzero(clusters == one), centre) for one, centre in enumerate(centres)]
    return _take_in_turn(points, members, np.bincount(clusters, minlength=len(centres)), count, known)


def select_uncertain(points, probabilities, count, known=None, seed=0):
    """Chooses examples that a head is uncertain about and that differ from each other.

    Zhdanov 2019, "Diverse mini-batch Active Learning" (https://arxiv.org/abs/1901.05954, section 3): among the
    `CANDIDATES` × `count` examples of the smallest margin between the two most probable classes, k-means finds `count`
    clusters with the uncertainties as weights, and the example nearest to each centre is chosen.

    Args:
        points: float32 (n, width), of length 1 each.
        probabilities: float (n, num_classes), of a head that has not learned from them.
        count: number of examples to choose, 1 to n.
        known: float32 (m, width), labelled examples, whose near-duplicates are not chosen; None without any.
        seed: int.

    Returns:
        Chosen rows, int64 (k,), that of the most uncertain cluster first; fewer than `count` if too many are
        near-duplicates.
    """
    uncertainties = uncertainty(probabilities)
    ordered = np.argsort(-uncertainties, kind="stable")
    rows, others = np.split(ordered, [CANDIDATES * count])
    weights = uncertainties[rows] + 1e-6
    clusters, centres = _cluster(points[rows], count, weights, seed)
    distances = np.linalg.norm(points[rows] - centres[clusters], axis=1)
    members = [_sorted_by(distances[clusters == one], rows[clusters == one]) for one in range(len(centres))]
    totals = np.bincount(clusters, weights, len(centres))
    # The others count as the smallest cluster, for pools in which most candidates are near-duplicates.
    return _take_in_turn(points, [*members, others], [*totals, 0], count, known)


def uncertainty(probabilities):
    """Computes one minus the margin between the two most probable classes, float (n,), 0 to 1.

    Args:
        probabilities: float (n, num_classes), at least two classes.
    """
    ordered = np.partition(probabilities, -2, axis=1)
    return 1 - (ordered[:, -1] - ordered[:, -2])


def _cluster(points, count, weights, seed):
    """Finds clusters by k-means; returns the cluster of each point and the centres."""
    rows = np.arange(len(points))
    if len(points) > MAX_FIT:
        rows = np.sort(np.random.default_rng(seed).permutation(len(points))[:MAX_FIT])
    # More threads take longer on matrices of this size.
    with threadpool_limits(1), warnings.catch_warnings():
        # Equal examples may leave clusters empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(min(count, len(rows)), n_init=1, max_iter=30, random_state=seed)
        fitted.fit(points[rows], sample_weight=None if weights is None else weights[rows])
        return fitted.predict(points), fitted.cluster_centers_


def _by_typicality(points, members, centre):
    """Returns the members of a cluster, the most typical first."""
    members = _sorted_by(np.linalg.norm(points[members] - centre, axis=1), members)[:MAX_MEMBERS]
    if len(members) < 3:
        return members
    similarities = points[members] @ points[members].T
    distances = np.sqrt(np.maximum(2 - 2 * similarities, 0))
    neighbours = min(NEIGHBOURS, len(members) // 2)
    # The nearest is the example itself.
    typical = np.sort(distances, axis=1)[:, 1 : neighbours + 1].mean(axis=1)
    return _sorted_by(typical, members)


def _sorted_by(values, members):
    return members[np.argsort(values, kind="stable")]


def _take_in_turn(points, members, sizes, count, known):
    """Takes the first of each cluster that is no near-duplicate, the largest cluster first, until there are enough."""
    kept = np.empty((count, points.shape[1]), points.dtype)
    queues = [deque(members[one]) for one in np.argsort(-np.asarray(sizes), kind="stable")]
    chosen = []
    while len(chosen) < count and any(queues):
        for queue in queues:
            while queue and len(chosen) < count:
                row = queue.popleft()
                if _is_new(points[row], kept[: len(chosen)]) and (known is None or _is_new(points[row], known)):
                    kept[len(chosen)] = points[row]
                    chosen.append(row)
                    break
    return np.array(chosen, np.int64)


def _is_new(point, others):
    return not len(others) or (others @ point).max() < NEAR_DUPLICATE
