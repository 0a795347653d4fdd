"""Initial weights without the generators of TensorFlow, for tests that need weights but not their distribution."""

import contextlib
import functools
import itertools
import math

import numpy as np

NUMBERS, STEP = 1 << 23, 7919
"""Numbers to take weights from, more than any layer of the tests has, and the distance between two layers' first."""


@contextlib.contextmanager
def cheap_weights():
    """Takes initial weights, which have the usual deviation, from one array, for each variable from another place."""
    import keras
    import pytest

    count = itertools.count()

    def draw(initializer, shape, dtype=None):
        deviation = getattr(initializer, "stddev", None) or math.sqrt(initializer.scale * shape[-1] / math.prod(shape))
        size = math.prod(shape)
        first = next(count) * STEP % (NUMBERS - size)
        return keras.ops.convert_to_tensor(_numbers()[first : first + size].reshape(shape) * deviation, dtype)

    with pytest.MonkeyPatch.context() as patch:
        for kind in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
            patch.setattr(kind, "__call__", draw)
        yield


@functools.cache
def _numbers():
    """Draws numbers from -1.7 to 1.7, whose deviation is 1."""
    return np.random.default_rng(0).random(NUMBERS, dtype="float32") * np.float32(3.4) - np.float32(1.7)
