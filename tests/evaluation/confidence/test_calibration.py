import numpy as np
import pytest

from tl_keras.evaluation.confidence.calibration import (
    calibration_interval,
    describe_calibration,
    expected_calibration_error,
    reliability_bins,
)


def test_equals_equation_3_of_guo_et_al():
    random = np.random.default_rng(0)
    correct, confidences = random.random(200) < 0.6, random.random(200)
    expected = 0
    for m in range(1, 11):
        members = (confidences > (m - 1) / 10) & (confidences <= m / 10)
        if members.any():
            expected += members.mean() * abs(correct[members].mean() - confidences[members].mean())
    assert expected_calibration_error(correct, confidences, bins=10) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("correct", "confidences", "error"),
    [([True, True], [1, 1], 0), ([False, False], [1, 1], 1), ([True], [0], 1), ([True, False], [0.5, 0.5], 0)],
)
def test_extreme_confidences(correct, confidences, error):
    assert expected_calibration_error(correct, confidences) == pytest.approx(error)


def test_the_error_is_explained_in_points():
    assert "by 6.1 points on average" in describe_calibration({"expected_calibration_error": 0.0612})
    assert describe_calibration({"accuracy": 1.0}) == ""
    interval = {"intervals": {"expected_calibration_error": [0.0, 0.1]}}
    assert "error 0.061 (0.000 to 0.100):" in describe_calibration({"expected_calibration_error": 0.0612} | interval)


def draw(accuracy_of, count=300):
    """Draws confidences, and which predictions are correct."""
    random = np.random.default_rng(1)
    confidences = 0.1 + 0.9 * random.beta(3, 1, count)
    return random.random(count) < accuracy_of(confidences), confidences


def test_the_interval_of_a_calibrated_model_begins_at_zero():
    correct, confidences = draw(lambda confidence: confidence)
    low, high = calibration_interval(correct, confidences)
    assert low == 0
    # The estimate itself is biased upwards, and inside.
    assert expected_calibration_error(correct, confidences) <= high < 0.15


def test_the_interval_of_a_miscalibrated_model_excludes_zero_and_contains_the_true_gap():
    low, high = calibration_interval(*draw(lambda confidence: confidence - 0.2))
    assert 0.1 < low < 0.2 < high < 0.3


def test_the_interval_stays_within_the_range_of_the_error():
    assert calibration_interval([False] * 5, [1.0] * 5) == [1.0, 1.0]
    assert calibration_interval([True], [1.0]) == [0.0, 0.0]


def test_bins_of_the_diagram_hold_every_prediction_once():
    bins = reliability_bins([True, False, True, True], [0.95, 0.91, 0.15, 0.11])
    assert [one["count"] for one in bins] == [2, 2]
    assert bins[0] == {"confidence": pytest.approx(0.13), "accuracy": 1.0, "count": 2}
    assert bins[1] == {"confidence": pytest.approx(0.93), "accuracy": 0.5, "count": 2}
