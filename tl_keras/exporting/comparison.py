"""Differences between what two forms of a model compute."""

import numpy as np

MAX_DIFFERENCE = 1e-3


def largest_difference(expected, got, scale=1):
    """Computes the largest absolute difference between two sets of outputs.

    Args:
        expected: dict of the arrays that the model computes: `probabilities`; or `boxes`, `scores` and `labels`.
        got: dict of at least the same names.
        scale: length that differences of `boxes` are divided by, the side of the images in pixels.

    Returns:
        float; infinity where shapes or labels differ, or a value is NaN.
    """
    differences = [0.0]
    for name, values in expected.items():
        values, others = (np.asarray(one[name], "float64") for one in (expected, got))
        if values.shape != others.shape or (name == "labels" and (values != others).any()):
            return float("inf")
        difference = np.abs(values - others).max(initial=0) / (scale if name == "boxes" else 1)
        differences.append(float("inf") if np.isnan(difference) else float(difference))
    return max(differences)
