"""Confidence intervals of a classifier's metrics, at 95 %, over the test examples."""

import math

import numpy as np

from tl_keras.evaluation.bootstrap import resample_metrics
from tl_keras.evaluation.classification import classification_metrics, confidence_of
from tl_keras.evaluation.confidence.calibration import calibration_interval

Z = 1.959964
"""Quantile of the normal distribution for intervals of 95 %."""
MEANING = (
    "Intervals are at 95 %, over other draws of as many test examples: Wilson's for shares of examples, a bootstrap "
    "for the others, corrected for its bias for the calibration error. Another seed of the training, or data from "
    "elsewhere, may differ by more."
)
SHARES = ("accuracy", "top_5_accuracy", "subset_accuracy")
"""Metrics that are shares of the test examples."""


def metrics_with_intervals(labels, probabilities, class_names, multi_label=False):
    """Computes the metrics of predictions and their 95 % intervals.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        class_names: sequence of num_classes names.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        dict as of `classification_metrics`, with `intervals` as of `classification_intervals`.

    Raises:
        InputError: as `classification_metrics`.
    """
    metrics = classification_metrics(labels, probabilities, class_names, multi_label)
    return metrics | {"intervals": classification_intervals(metrics, labels, probabilities, multi_label)}


def classification_intervals(metrics, labels, probabilities, multi_label=False):
    """Computes 95 % intervals of metrics.

    Shares of examples get Wilson's interval, other metrics the percentile interval of a bootstrap over the test
    examples, see `resample_metrics`. Where all resamples are equal, as without any mistake, the bootstrap sees no
    variance: a metric from 0 to 1 then gets Wilson's interval, too, and the log-loss none.

    Args:
        metrics: dict, as `classification_metrics` returns it for these predictions.
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        dict from the names of metrics to [low, high].
    """
    count = metrics["examples"]
    intervals = {name: wilson_interval(metrics[name], count) for name in SHARES if name in metrics}
    for name, values in resample_metrics(labels, probabilities, multi_label).items():
        low, high = percentile_interval(values)
        if low < high:
            intervals[name] = [low, high]
        elif name != "log_loss":
            intervals[name] = wilson_interval(low, count)
    if "expected_calibration_error" in metrics:
        intervals["expected_calibration_error"] = calibration_interval(*confidence_of(labels, probabilities))
    return intervals


def wilson_interval(share, count):
    """Computes Wilson's score interval of a proportion (Wilson 1927).

    Args:
        share: float, observed proportion, 0 to 1.
        count: number of examples, at least 1.

    Returns:
        [low, high], 0 to 1.
    """
    scale = 1 + Z**2 / count
    center = (share + Z**2 / (2 * count)) / scale
    margin = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2)) / scale
    # Rounding would otherwise end the interval of all or no examples just beside them.
    low, high = 0.0 if share == 0 else center - margin, 1.0 if share == 1 else center + margin
    return [max(0.0, low), min(1.0, high)]


def paired_interval(gains, losses, count):
    """Computes the interval of the difference of two accuracies on the same examples (Bonett and Price 2012).

    Args:
        gains: number of examples that only the first model classifies correctly.
        losses: number of examples that only the second model classifies correctly.
        count: number of examples, at least 1.

    Returns:
        [low, high], -1 to 1.
    """
    gain, loss = (gains + 1) / (count + 2), (losses + 1) / (count + 2)
    margin = Z * math.sqrt((gain + loss - (gain - loss) ** 2) / (count + 2))
    return [max(-1.0, gain - loss - margin), min(1.0, gain - loss + margin)]


def percentile_interval(values):
    """Computes the interval between the 2.5th and the 97.5th percentile.

    Args:
        values: float (resamples,); NaN is left out.

    Returns:
        [low, high].
    """
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return [float(low), float(high)]
