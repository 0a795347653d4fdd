"""Integrated gradients (Sundararajan et al. 2017): the share of each input in an output."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

POINTS_AT_ONCE = 8
"""Points of the path that are computed at once."""
MAX_POINTS = 256
TOLERANCE = 0.01
"""Difference between the sum of the attributions and that of the outputs, as a share of the latter."""
MIN_DIFFERENCE = 0.01
"""Differences of outputs are taken to be at least this large, because the arithmetic has a precision of its own."""


@dataclass(frozen=True)
class Attributions:
    """Holds the attributions of an output to its inputs."""

    values: np.ndarray
    """float32, one value for each input."""
    output: float
    """The output for the inputs."""
    baseline_output: float
    """The output for the baseline."""

    @property
    def gap(self):
        """Difference between the sum of the attributions and that of the outputs, as a share of the latter."""
        difference = self.output - self.baseline_output
        return abs(float(self.values.sum()) - difference) / max(abs(difference), MIN_DIFFERENCE)

    @property
    def is_complete(self):
        """True if the attributions sum to the difference of the outputs to 1 % (proposition 1)."""
        return self.gap <= TOLERANCE


def integrated_gradients(function, inputs, baseline):
    """Computes equation 1, (x - x') times the mean gradient along the straight path from the baseline x' to x.

    The integral is a weighted sum as in equation 3, but at the points of Gauss and Legendre, which need fewer steps.
    Their number is doubled until the attributions sum to the difference of the outputs, at most to `MAX_POINTS`.

    Args:
        function: differentiable function of a tensor (`POINTS_AT_ONCE`, ...), points of the path, that returns their
            outputs, (`POINTS_AT_ONCE`,).
        inputs: float32 (...), x.
        baseline: float32 (...), x'.

    Returns:
        `Attributions`.
    """
    inputs, baseline = (np.asarray(values, "float32") for values in (inputs, baseline))
    ends = np.stack([inputs, *[baseline] * (POINTS_AT_ONCE - 1)])
    output, baseline_output = np.asarray(function(tf.constant(ends)), "float32")[:2].tolist()
    points = POINTS_AT_ONCE
    while True:
        values = (inputs - baseline) * _mean_gradient(function, inputs, baseline, points)
        attributions = Attributions(values, output, baseline_output)
        if attributions.is_complete or points >= MAX_POINTS:
            return attributions
        points *= 2


def _mean_gradient(function, inputs, baseline, points):
    places, weights = np.polynomial.legendre.leggauss(points)
    places, weights = ((places + 1) / 2).astype("float32"), (weights / 2).astype("float32")
    total = np.zeros_like(inputs)
    for start in range(0, points, POINTS_AT_ONCE):
        part = slice(start, start + POINTS_AT_ONCE)
        path = tf.constant(baseline + np.multiply.outer(places[part], inputs - baseline))
        with tf.GradientTape() as tape:
            tape.watch(path)
            outputs = function(path)
        total += np.tensordot(weights[part], np.asarray(tape.gradient(outputs, path)), 1)
    return total
