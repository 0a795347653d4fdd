"""Random samples of objects and background from thousands of candidates."""

import keras
from keras import ops

from tl_keras.models.detection.targets.matching import NEGATIVE, POSITIVE


def sample_balanced(kinds, num_samples, positive_share, seed):
    """Samples objects and background randomly without replacement.

    At most `positive_share` of the sample are objects; background fills the rest (Girshick 2015, "Fast R-CNN",
    https://arxiv.org/abs/1504.08083, section 2.3).

    Args:
        kinds: int32 (batch, n) from `match_boxes`: 1 for an object, 0 for background; -1 is never drawn.
        num_samples: size of the sample, at least 1.
        positive_share: maximum share of objects, 0 to 1.
        seed: `keras.random.SeedGenerator`, or an int for the same sample at every call.

    Returns:
        Tuple of int32 (batch, samples), indices into n, objects first, and bool (batch, samples), False for places
        that are empty because there are too few candidates. `samples` is min(num_samples, n).
    """
    num_samples = min(num_samples, kinds.shape[1])
    keys = keras.random.uniform(ops.shape(kinds), seed=seed)
    num_positive = max(int(num_samples * positive_share), 1)
    positive, is_positive = _draw(keys, kinds == POSITIVE, num_positive)
    negative, is_negative = _draw(keys, kinds == NEGATIVE, num_samples)
    room = num_samples - ops.sum(ops.cast(is_positive, "int32"), axis=1, keepdims=True)
    is_negative = is_negative & (ops.arange(num_samples)[None] < room)
    chosen = ops.concatenate([positive, negative], axis=1)
    is_chosen = ops.concatenate([is_positive, is_negative], axis=1)
    # Moves the drawn candidates to the front; top_k preserves the order of equal values.
    is_chosen, places = ops.top_k(ops.cast(is_chosen, "float32"), num_samples)
    return ops.take_along_axis(chosen, places, axis=1), is_chosen > 0


def _draw(keys, is_candidate, number):
    """Returns the indices of the `number` candidates with the largest keys, and a mask of the real candidates."""
    keys, indices = ops.top_k(ops.where(is_candidate, keys, -1.0), min(number, keys.shape[1]))
    return ops.cast(indices, "int32"), keys >= 0
