import time

import numpy as np

from tl_keras.evaluation.baselines.baseline import measure_baseline


def test_predictions_are_measured_with_intervals_and_seconds(monkeypatch):
    monkeypatch.setattr(time, "process_time", iter([3.0, 3.25]).__next__)
    baseline = measure_baseline("a rule", lambda: np.eye(2)[[0, 1, 1]], [0, 1, 0], ("a", "b"))
    assert baseline.metrics["accuracy"] == 2 / 3
    assert baseline.seconds == 0.25


def test_the_summary_holds_the_named_metrics_that_exist():
    summary = measure_baseline("a rule", lambda: np.eye(2), [0, 1], ("a", "b")).summary(("accuracy", "subset_accuracy"))
    assert list(summary) == ["name", "seconds", "accuracy", "intervals"]
    assert list(summary["intervals"]) == ["accuracy"]
