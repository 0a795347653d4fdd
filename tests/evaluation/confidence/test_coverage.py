import numpy as np
import pytest

from tl_keras.evaluation.confidence.coverage import coverage_curve, measure_coverage, recommend_confidence

CONFIDENCES = np.linspace(1, 0.05, 20)
CORRECT = np.array([True] * 9 + [False] + [True, False] * 5)
"""6 of 20 are wrong, 1 of the first 10, 2 of the first 12."""


def test_the_recommended_confidence_halves_the_error_and_keeps_as_many_as_it_can():
    found = recommend_confidence(CORRECT, CONFIDENCES)
    kept = found <= CONFIDENCES
    assert (~CORRECT[kept]).mean() <= (~CORRECT).mean() / 2 and kept.sum() == 11
    assert found == pytest.approx((CONFIDENCES[10] + CONFIDENCES[11]) / 2)


def test_predictions_of_the_same_confidence_are_not_separated():
    found = recommend_confidence(CORRECT, [0.9] * 11 + [0.5] * 9)
    assert found == pytest.approx(0.7)
    assert recommend_confidence(CORRECT, [0.9] * 20) is None


def test_few_mistakes_or_confident_ones_recommend_nothing():
    assert recommend_confidence([True] * 96 + [False] * 4, np.linspace(1, 0, 100)) is None
    assert recommend_confidence(~CORRECT, CONFIDENCES) is None
    assert recommend_confidence([], []) is None


def test_counts_what_is_kept():
    assert measure_coverage(CORRECT, CONFIDENCES, CONFIDENCES[9]) == {"kept": 10, "right": 9}
    assert measure_coverage(CORRECT, CONFIDENCES, 1.1) == {"kept": 0, "right": 0}


def test_the_curve_ends_with_the_accuracy_of_all():
    curve = coverage_curve(CORRECT, CONFIDENCES)
    assert len(curve) == 20
    assert curve[0] == {"coverage": 0.05, "accuracy": 1.0, "confidence": 1.0}
    assert curve[-1]["coverage"] == 1 and curve[-1]["accuracy"] == pytest.approx(0.7)
    many = coverage_curve(np.tile(CORRECT, 50), np.linspace(1, 0, 1000))
    assert len(many) == 60 and many[-1]["coverage"] == 1
