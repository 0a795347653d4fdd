import numpy as np
import pytest

from tl_keras.evaluation.classification import classification_metrics
from tl_keras.evaluation.intervals import (
    classification_intervals,
    metrics_with_intervals,
    paired_interval,
    percentile_interval,
    wilson_interval,
)


def test_all_or_no_examples_end_the_interval_exactly():
    assert all(wilson_interval(1.0, count)[1] == 1.0 for count in range(1, 200))
    assert all(wilson_interval(0.0, count)[0] == 0.0 for count in range(1, 200))


@pytest.mark.parametrize(
    ("share", "count", "expected"),
    [(0.5, 10, (0.2366, 0.7634)), (0.0, 10, (0, 0.2775)), (1.0, 10, (0.7225, 1)), (81 / 263, 263, (0.2553, 0.3662))],
)
def test_wilson_intervals_are_those_of_newcombe_1998(share, count, expected):
    assert wilson_interval(share, count) == pytest.approx(expected, abs=1e-4)


def test_the_paired_interval_is_the_one_of_bonett_and_price():
    # (8 - 2) / 23 plus or minus 1.96 times the root of (10 / 23 - (6 / 23)^2) / 23.
    assert paired_interval(7, 1, 21) == pytest.approx((0.0134, 0.5084), abs=1e-4)
    assert paired_interval(0, 0, 100)[0] == -paired_interval(0, 0, 100)[1] < 0


def test_percentiles_leave_out_undefined_resamples():
    assert percentile_interval([np.nan, *range(101)]) == [2.5, 97.5]


@pytest.mark.parametrize("multi_label", [False, True])
def test_intervals_contain_the_metrics(multi_label):
    generator = np.random.default_rng(0)
    labels = generator.integers(8, size=200)
    probabilities = (np.eye(8)[labels] + 2 * generator.random((200, 8))) / 3
    names = [str(number) for number in range(8)]
    if multi_label:
        labels = np.eye(8, dtype=int)[labels]
    else:
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    metrics = classification_metrics(labels, probabilities, names, multi_label)
    intervals = classification_intervals(metrics, labels, probabilities, multi_label)
    assert set(intervals) == (
        {"subset_accuracy", "macro_f1", "micro_f1", "mean_average_precision"}
        if multi_label
        else {"accuracy", "top_5_accuracy", "macro_f1", "log_loss", "expected_calibration_error"}
    )
    for name, (low, high) in intervals.items():
        assert low < metrics[name] < high, name


def test_a_classifier_without_mistakes_is_not_certain():
    labels, probabilities = [0, 1, 0, 1], np.eye(2)[[0, 1, 0, 1]]
    metrics = metrics_with_intervals(labels, probabilities, "ab")
    assert metrics["intervals"]["macro_f1"] == metrics["intervals"]["accuracy"] == wilson_interval(1.0, 4)
    assert "log_loss" not in metrics["intervals"]
    assert metrics["intervals"] == classification_intervals(metrics, labels, probabilities)
