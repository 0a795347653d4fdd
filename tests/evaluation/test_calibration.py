import numpy as np
import pytest

from tl_keras.evaluation.calibration import describe_calibration, expected_calibration_error


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
