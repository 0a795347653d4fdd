import time

import numpy as np

from tl_keras.evaluation.baselines.baseline import measure_baseline


def test_predictions_are_measured_with_intervals_and_seconds():
    def predict():
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return np.eye(2)[[0, 1, 1]]

    baseline = measure_baseline("a rule", predict, [0, 1, 0], ("a", "b"))
    assert baseline.metrics["accuracy"] == 2 / 3
    assert 0.02 <= baseline.seconds < 1


def test_the_summary_holds_the_named_metrics_that_exist():
    summary = measure_baseline("a rule", lambda: np.eye(2), [0, 1], ("a", "b")).summary(("accuracy", "subset_accuracy"))
    assert list(summary) == ["name", "seconds", "accuracy", "intervals"]
    assert list(summary["intervals"]) == ["accuracy"]
