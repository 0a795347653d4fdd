"""Coverage of a classifier that answers only where it is confident enough, and the confidence to ask for."""

import numpy as np

from tl_keras.system.spreading import spread_rows

ERROR_SHARE = 0.5
"""Share of the error rate of all predictions that is left above the recommended confidence."""
MIN_MISTAKES = 5
"""Mistakes below which no confidence is recommended: its error rate would be noise."""
POINTS = 60
"""Maximum number of points of a curve."""


def recommend_confidence(correct, confidences):
    """Finds the lowest confidence above which predictions are wrong at most half as often as all of them.

    Args:
        correct: bool (n,), for predictions of examples that the model did not learn from.
        confidences: float (n,), 0 to 1.

    Returns:
        float, 0 to 1, half-way between the last prediction that is kept and the first that is not; None where no
        confidence does it, or with fewer than `MIN_MISTAKES` mistakes.
    """
    mistakes, confidences = _ranked(correct, confidences)
    if mistakes.size == 0 or mistakes[-1] < MIN_MISTAKES:
        return None
    kept = np.arange(1, len(mistakes) + 1)
    # Predictions of the same confidence cannot be separated.
    ends = np.append(confidences[1:] < confidences[:-1], False)
    possible = np.flatnonzero(ends & (mistakes / kept <= ERROR_SHARE * mistakes[-1] / len(mistakes)))
    if not possible.size:
        return None
    last = possible[-1]
    return float((confidences[last] + confidences[last + 1]) / 2)


def measure_coverage(correct, confidences, min_confidence):
    """Counts the predictions at a confidence or above it, and how many of them are right.

    Args:
        correct: bool (n,).
        confidences: float (n,), 0 to 1.
        min_confidence: float, 0 to 1.

    Returns:
        dict of the numbers `kept` and `right`.
    """
    kept = np.asarray(confidences) >= min_confidence
    return {"kept": int(kept.sum()), "right": int(np.asarray(correct)[kept].sum())}


def coverage_curve(correct, confidences):
    """Computes the accuracy of the most confident predictions for every share of them.

    Args:
        correct: bool (n,), n >= 1.
        confidences: float (n,), 0 to 1.

    Returns:
        list of dict(coverage, accuracy, confidence), by coverage, at most `POINTS`; the last one covers everything.
    """
    mistakes, confidences = _ranked(correct, confidences)
    ends = np.flatnonzero(np.append(confidences[1:] < confidences[:-1], True))
    chosen = ends[spread_rows(ends, POINTS)]
    return [
        {
            "coverage": float((row + 1) / len(mistakes)),
            "accuracy": float(1 - mistakes[row] / (row + 1)),
            "confidence": float(confidences[row]),
        }
        for row in chosen
    ]


def _ranked(correct, confidences):
    """Returns the number of mistakes up to each prediction and its confidence, the most confident first."""
    order = np.argsort(-np.asarray(confidences), kind="stable")
    return np.cumsum(~np.asarray(correct, bool)[order]), np.asarray(confidences, "float64")[order]
