"""Predictions of a simple model for the test examples, with their metrics and their cost."""

import time
from dataclasses import dataclass

import numpy as np

from tl_keras.evaluation.intervals import metrics_with_intervals


@dataclass(frozen=True)
class Baseline:
    """Holds what a simple model predicts for the test examples."""

    name: str
    """Name in reports, such as "majority class"."""
    probabilities: np.ndarray
    """float64 (n, num_classes), 0 to 1."""
    metrics: dict
    """As of `classification_metrics`, with their `intervals`."""
    seconds: float
    """CPU seconds of training and prediction."""

    def summary(self, names):
        """Returns a dict, ready for JSON, of `name`, `seconds`, the named metrics that exist and their `intervals`."""
        figures = {name: self.metrics[name] for name in names if name in self.metrics}
        intervals = {name: limits for name, limits in self.metrics["intervals"].items() if name in figures}
        return {"name": self.name, "seconds": self.seconds, **figures, "intervals": intervals}


def measure_baseline(name, predict, labels, class_names, multi_label=False):
    """Trains a simple model, measures its predictions and counts its CPU seconds.

    Args:
        name: name of the model.
        predict: function without arguments that trains it and returns float (n, num_classes), 0 to 1.
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1: the ground truth of the test examples.
        class_names: sequence of num_classes names.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        `Baseline`.
    """
    started = time.process_time()
    probabilities = predict()
    seconds = time.process_time() - started
    return Baseline(
        name, probabilities, metrics_with_intervals(labels, probabilities, class_names, multi_label), seconds
    )
