"""Calibration of a classifier's confidence: the error, and what it means."""

import numpy as np


def expected_calibration_error(correct, confidences, bins=15):
    """Computes the expected calibration error, the mean gap between confidence and accuracy.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), equation 3: predictions are binned by confidence
    into M equal intervals ((m - 1) / M, m / M], and each gap is weighted by the share of predictions in its bin:

        ECE = sum over m of |B_m| / n * |accuracy(B_m) - confidence(B_m)|.

    Args:
        correct: bool (n,), n >= 1, True where the prediction is correct.
        confidences: float (n,), 0 to 1, the probability of the predicted class.
        bins: number of bins, M.

    Returns:
        float, 0 (perfectly calibrated) to 1.
    """
    correct, confidences = np.asarray(correct, "float64"), np.asarray(confidences, "float64")
    interval = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(interval, weights=correct - confidences, minlength=bins)
    return float(np.abs(gaps).sum() / len(correct))


def describe_calibration(metrics):
    """Explains the expected calibration error in a sentence.

    Args:
        metrics: dict, such as `classification_metrics` returns.

    Returns:
        str, empty without `expected_calibration_error`.
    """
    if (error := metrics.get("expected_calibration_error")) is None:
        return ""
    return (
        f"Calibration error {error:.3f}: the probability of the predicted class differs from the share of predictions "
        f"that are right by {100 * error:.1f} points on average; 0 is perfect."
    )
