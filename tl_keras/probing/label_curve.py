"""Label curves: the error of a method over its number of labels, with the range that resampled errors leave."""

from dataclasses import dataclass

import numpy as np

HORIZON = 2.0
"""Multiple of the largest measured number of labels up to which a curve is continued."""
PERCENTILES = (5, 95)
MIN_PIECEWISE = 4
"""Measured numbers of labels from which the curve may bend; fewer are a straight line."""


@dataclass(frozen=True, eq=False)
class LabelCurve:
    """Holds a piecewise power law for each of several resamples of the measured errors.

    Jain et al. 2023 (https://arxiv.org/abs/2303.01598): below a number of labels N the logarithm of the error is
    quadratic in that of the number of labels n, above it is linear, and the slopes agree at N. With x = log n:
    log error = a + b x + c min(0, x - log N)^2. They predict N by meta-learning; here it is the measured number that
    fits best, and resampling shows how much depends on that.

    Attributes:
        labels: float (k,), measured numbers of labels, ascending.
        errors: float (resamples, k), measured errors, 0 to 1.
        coefficients: float (resamples, 4): a, b, c and log N; b is at most 0.
    """

    labels: np.ndarray
    errors: np.ndarray
    coefficients: np.ndarray

    def error_range(self, count):
        """Predicts the range of the error with a number of labels.

        Args:
            count: number of labels, at least the smallest measured one.

        Returns:
            Tuple of two floats; None beyond `HORIZON` times what was measured.
        """
        if count > HORIZON * self.labels[-1]:
            return None
        low, high = np.percentile(self.errors_at(count), PERCENTILES)
        return float(low), float(high)

    def errors_at(self, count):
        """Predicts the error with a number of labels, for each resample, float (resamples,)."""
        a, b, c, switch = self.coefficients.T
        x = np.log(count)
        return np.clip(np.exp(a + b * x + c * np.minimum(0, x - switch) ** 2), 0, 1)

    def labels_needed(self, targets):
        """Finds the range of the number of labels whose error is as low as a target.

        Between measured numbers the logarithm of the error is interpolated over that of the number.

        Args:
            targets: float (resamples,), an error for each resample.

        Returns:
            Tuple of two floats, inf where more labels are needed than were measured; the smallest measured number
            stands for all that are not above it.
        """
        needed = [
            _first_below(self.labels, errors, target) for errors, target in zip(self.errors, targets, strict=True)
        ]
        low, high = np.percentile(needed, PERCENTILES, method="nearest")
        return float(low), float(high)


def fit_label_curve(labels, errors):
    """Fits a label curve.

    Args:
        labels: float (k,), numbers of labels, ascending, at least two.
        errors: float (resamples, k), above 0.

    Returns:
        `LabelCurve`.
    """
    labels, errors = np.asarray(labels, float), np.asarray(errors, float)
    x, y = np.log(labels), np.log(errors)
    # With N at the smallest number of labels, the curve is a power law.
    switches = x[:-1] if len(x) >= MIN_PIECEWISE else x[:1]
    fits = [_fit(x, y, switch) for switch in switches]
    best = np.argmin([residuals for _, residuals in fits], axis=0)
    coefficients = np.stack([coefficients for coefficients, _ in fits])[best, np.arange(len(y))]
    return LabelCurve(labels, errors, coefficients)


def _fit(x, y, switch):
    """Returns the coefficients of all resamples, and their squared residuals per degree of freedom."""
    bend = np.minimum(0, x - switch) ** 2
    columns = [np.ones_like(x), x, bend] if bend.any() else [np.ones_like(x), x]
    design = np.stack(columns, axis=1)
    solved = np.linalg.pinv(design) @ y.T
    residuals = ((design @ solved - y.T) ** 2).sum(axis=0) / max(1, len(x) - len(columns))
    a, b = solved[:2]
    c = solved[2] if len(columns) > 2 else np.zeros(len(y))
    # A tail that rises is turned about the last measured point, since more labels do no harm in the long run.
    a = np.where(b > 0, a + b * x[-1], a)
    return np.stack([a, np.minimum(b, 0), c, np.full(len(y), switch)], axis=1), residuals


def _first_below(labels, errors, target):
    lowest = np.minimum.accumulate(errors)
    if target < lowest[-1]:
        return np.inf
    place = int(np.argmax(lowest <= target))
    if place == 0:
        return labels[0]
    left, right = np.log(lowest[place - 1 : place + 1])
    share = (left - np.log(target)) / (left - right)
    return float(np.exp(np.interp(share, (0, 1), np.log(labels[place - 1 : place + 1]))))
