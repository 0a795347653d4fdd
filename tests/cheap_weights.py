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
    """Takes initial weights from one array, for each variable from another place.

    Their deviation is that of He et al. with the inputs that a depthwise convolution really has, so that a deep network
    without trained statistics has outputs of a size at which a wrong weight shows.
    """
    import keras
    import pytest

    count = itertools.count()

    def draw(_initializer, shape, dtype=None):
        size = math.prod(shape)
        is_depthwise = len(shape) == 4 and shape[-1] == 1
        fan_in = math.prod(shape[:-2] if is_depthwise else shape[:-1])
        first = next(count) * STEP % (NUMBERS - size)
        weights = _numbers()[first : first + size] * np.float32(math.sqrt(2 / fan_in))
        return keras.ops.convert_to_tensor(weights.reshape(shape), dtype)

    with pytest.MonkeyPatch.context() as patch:
        for kind in (keras.initializers.VarianceScaling, keras.initializers.TruncatedNormal):
            patch.setattr(kind, "__call__", draw)
        yield


@functools.cache
def _numbers():
    """Draws numbers from -1.7 to 1.7, whose deviation is 1."""
    return np.random.default_rng(0).random(NUMBERS, dtype="float32") * np.float32(3.4) - np.float32(1.7)
