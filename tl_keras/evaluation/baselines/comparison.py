"""Comparison of a network with baselines on the same test examples, in sentences."""

import numpy as np

from tl_keras.evaluation.bootstrap import resample_f1_difference
from tl_keras.evaluation.intervals import paired_interval, percentile_interval

NO_BETTER = "Warning: the network is no better"
"""Start of the warning of a network that is no better than the majority."""
ROUNDING = 1e-9
"""Difference below which two shares of the same examples are equal."""


def compare_with_baselines(labels, probabilities, metrics, baselines, multi_label=False):
    """Describes by how much a network beats the best baseline, with an interval, and whether it beats the majority.

    Single-label predictions are compared by accuracy, with the interval of Bonett and Price for pairs; multi-label ones
    by macro-F1, with a paired bootstrap over the test examples.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1, of the network.
        metrics: dict, as `classification_metrics` returns it for the network.
        baselines: sequence of `Baseline`, at least one, that of the majority first.
        multi_label: bool, True to compare by macro-F1.

    Returns:
        tuple of str: a sentence on the best baseline and, if the network is no better than the majority, a warning.
    """
    key, unit = ("macro_f1", "macro-F1") if multi_label else ("accuracy", "accuracy")
    best, majority = max(baselines, key=lambda one: one.metrics[key]), baselines[0]
    compare = _macro_f1_interval if multi_label else _accuracy_interval
    interval = compare(np.asarray(labels), np.asarray(probabilities), best.probabilities)
    sentence = _sentence(best.name, metrics[key] - best.metrics[key], interval, unit)
    if metrics[key] > majority.metrics[key]:
        return (sentence,)
    return sentence, (
        f"{NO_BETTER} than the {majority.name} ({unit} {metrics[key]:.3f} against {majority.metrics[key]:.3f})."
    )


def _accuracy_interval(labels, probabilities, others):
    right, other_right = (values.argmax(axis=1) == labels for values in (probabilities, others))
    return paired_interval(np.sum(right & ~other_right), np.sum(other_right & ~right), len(labels))


def _macro_f1_interval(labels, probabilities, others):
    values = resample_f1_difference(labels, probabilities, others)
    # Equal values on all resamples do not show that the variance is zero.
    return None if values is None or values.min() == values.max() else percentile_interval(values)


def _sentence(name, difference, interval, unit):
    if abs(difference) < ROUNDING:
        return f"The network equals the best baseline, {name}, in {unit}{_limits(interval)}."
    points = f"{100 * abs(difference):.1f}"
    points = "less than 0.1" if points == "0.0" else points
    direction = "below" if difference < 0 else "above"
    if difference < 0 and interval:
        interval = [-limit for limit in reversed(interval)]
    return f"The network is {points} points of {unit} {direction} the best baseline, {name}{_limits(interval)}."


def _limits(interval):
    if interval is None:
        return ""
    low, high = (100 * limit for limit in interval)
    zero = ", which includes 0" if low <= 0 <= high else ""
    return f" (95 % interval {low:.1f} to {high:.1f} points{zero})"
