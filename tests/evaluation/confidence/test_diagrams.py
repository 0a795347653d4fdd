import pytest

from tl_keras.evaluation.confidence.diagrams import BOTTOM, LEFT, RIGHT, TOP, coverage_diagram, reliability_diagram

CORRECT, CONFIDENCES = [True, True, False, True], [0.95, 0.95, 0.55, 0.55]


def test_points_of_the_reliability_diagram_lie_at_confidence_and_accuracy():
    low, high = reliability_diagram(CORRECT, CONFIDENCES)["points"]
    assert low["x"] == pytest.approx(LEFT + 0.55 * (RIGHT - LEFT), abs=0.1)
    assert low["y"] == pytest.approx((BOTTOM + TOP) / 2, abs=0.1) and high["y"] == TOP
    assert low["y_high"] < low["y"] < low["y_low"] <= BOTTOM


def test_the_coverage_curve_ends_at_the_right_and_marks_the_recommended_confidence():
    found = coverage_diagram(CORRECT, CONFIDENCES, 0.9)
    places = [tuple(map(float, point.split(","))) for point in found["line"].split()]
    assert places[0] == found["mark"] == ((LEFT + RIGHT) / 2, TOP)
    assert places[-1][0] == RIGHT and found["rows"][-1]["accuracy"] == 0.75
    assert [label for _, label in found["y_ticks"]] == ["70 %", "76 %", "82 %", "88 %", "94 %", "100 %"]
    assert coverage_diagram(CORRECT, CONFIDENCES)["mark"] is None


def test_a_perfect_classifier_has_an_axis_too():
    assert coverage_diagram([True], [1.0])["y_ticks"][0] == (BOTTOM, "90 %")
