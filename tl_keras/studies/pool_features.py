"""Reads the features of a pool in chunks, and keeps of each example what choosing needs: a short vector."""

from dataclasses import dataclass

import numpy as np

from tl_keras import probing
from tl_keras.probing.linear_head import Standardization
from tl_keras.training.automatic.features import FeatureReader, HeadInput
from tl_keras.training.automatic.solved_head import Examples, solve_examples, take_examples

CHUNK = 10_000
"""Examples whose whole features are in memory at once."""
WIDTH = 512
"""Numbers that are kept of an example."""
EVERY_BLOCK = HeadInput("all blocks", "all", "average")


class Projection:
    """Maps the averages of all blocks to points of length 1, whose cosines are those of the standardized averages.

    A random projection (Johnson and Lindenstrauss 1984) keeps cosines up to about 1 / sqrt(`WIDTH`), and nearly exactly
    those of near-duplicates.

    Args:
        reader: `FeatureReader`.
        features: float32 (n, width), a random sample that the standardization is estimated on.
        seed: int.
    """

    def __init__(self, reader, features, seed):
        feature_set = reader.feature_set(EVERY_BLOCK)
        self._columns = feature_set.columns
        self._standardization = Standardization.of(features[:, self._columns], feature_set.groups)
        count = len(self._columns)
        self._matrix = np.random.default_rng(seed).normal(0, 1, (count, WIDTH)) if count > WIDTH else None

    def __call__(self, features):
        """Projects features (n, width), float32 (n, at most `WIDTH`)."""
        points = self._standardization(features[:, self._columns])
        points = points if self._matrix is None else points @ self._matrix
        return (points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-12)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class PoolFeatures:
    """Holds what is known of the examples of a pool.

    Attributes:
        points: float32 (n, at most `WIDTH`), of length 1 each.
        probabilities: float32 (n, num_classes) by a head on the labelled examples; None without any.
        known: float32 (m, at most `WIDTH`), points of the labelled examples; None without any.
    """

    points: np.ndarray
    probabilities: np.ndarray | None
    known: np.ndarray | None


def read_pool(config, splits, labelled, pool, rows):
    """Reads the features of some examples of a pool, chunk by chunk.

    Args:
        config: `RunConfig` whose image size is decided.
        splits: `Splits` that the network is built for.
        labelled: list of (part of the splits, its labels, int (n,)); empty if no label is known.
        pool: part of the splits with the unlabelled examples.
        rows: int (n,), the examples of the pool to read, ascending.

    Returns:
        `PoolFeatures`, a row for each of `rows`.
    """
    reader, head, known = FeatureReader(config, splits), None, None
    if labelled:
        known = np.concatenate([reader.read(part) for part, _ in labelled])
        head = _solve_head(config, reader, known, np.concatenate([labels for _, labels in labelled]))
    projection, points, probabilities = None, [], []
    order = np.random.default_rng(config.seed).permutation(len(rows))
    chunks = [np.sort(order[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
    for chunk in chunks:
        features = reader.read(take_examples(pool, rows[chunk]))
        projection = projection or Projection(reader, features, config.seed)
        points.append(projection(features))
        if head is not None:
            probabilities.append(head(features).astype(np.float32))
    back = np.argsort(np.concatenate(chunks))
    return PoolFeatures(
        np.concatenate(points)[back],
        np.concatenate(probabilities)[back] if probabilities else None,
        None if known is None else projection(known),
    )


def _solve_head(config, reader, features, labels):
    """Solves a head on all labelled examples; returns a function from features to probabilities."""
    every = np.arange(len(labels))
    examples = Examples(features, labels, probing.make_folds(labels, config.seed), every)
    solved = solve_examples(config, reader, examples)
    columns = reader.feature_set(solved.head_input).columns
    return lambda features: solved.head.probabilities(features[:, columns])
