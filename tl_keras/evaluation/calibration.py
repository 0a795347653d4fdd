"""Whether a classifier's confidence can be believed."""

import numpy as np


def expected_calibration_error(correct, confidences, bins=15):
    """Measures how far confidence and accuracy lie apart, on average over all predictions.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), equation 3: the predictions are sorted into `bins`
    equal intervals ((m - 1) / M, m / M] of confidence, and the gaps are weighted by the predictions in each,

        ECE = sum over m of |B_m| / n * |accuracy(B_m) - confidence(B_m)|.

    Args:
        correct: bool (n,), whether each prediction was right; n >= 1.
        confidences: float (n,), 0 to 1, the probability the model gave to what it predicted.
        bins: number of intervals, M.

    Returns:
        float, 0 (confidence can be taken at its word) to 1.
    """
    correct, confidences = np.asarray(correct, "float64"), np.asarray(confidences, "float64")
    interval = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(interval, weights=correct - confidences, minlength=bins)
    return float(np.abs(gaps).sum() / len(correct))
