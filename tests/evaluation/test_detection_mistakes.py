import numpy as np
import pytest

from tl_keras.evaluation.detection_mistakes import MISTAKES, assign_detections, count_mistakes, match_detections

BOXES = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], float)
LABELS = [0, 1]


def prediction(*rows):
    boxes = np.array([row[:4] for row in rows], float).reshape(-1, 4)
    return {"boxes": boxes, "labels": np.array([row[4] for row in rows], int), "scores": [row[5] for row in rows]}


@pytest.mark.parametrize(
    ("row", "verdict", "outcomes"),
    [
        ((0, 0, 10, 9, 0, 0.9), "right", ["right", "missed"]),
        ((0, 0, 10, 9, 1, 0.9), "wrong_class", ["", "missed"]),
        # IoU 0.4: enough to account for the box.
        ((0, 0, 10, 4, 0, 0.9), "badly_placed", ["", "missed"]),
        ((0, 0, 10, 4, 1, 0.9), "wrong_class_and_badly_placed", ["missed", "missed"]),
        ((0, 0, 10, 0.9, 0, 0.9), "background", ["missed", "missed"]),
        ((30, 30, 40, 40, 0, 0.9), "background", ["missed", "missed"]),
    ],
)
def test_each_kind_of_mistake(row, verdict, outcomes):
    assert match_detections(BOXES, LABELS, prediction(row)) == ([verdict], outcomes)


def test_verdicts_name_the_box_that_they_concern():
    found = prediction((50, 50, 60, 60, 0, 0.9), (0, 0, 10, 9, 0, 0.8), (30, 30, 40, 40, 0, 0.7))
    verdicts, outcomes, places, ious = assign_detections(BOXES, LABELS, found)
    assert verdicts == ["wrong_class", "right", "background"] and outcomes == ["right", ""]
    assert places == [1, 0, -1] and ious == [1.0, pytest.approx(0.9), 0.0]


def test_the_most_confident_prediction_is_right_and_the_other_a_duplicate():
    verdicts, outcomes = match_detections(BOXES, LABELS, prediction((0, 0, 10, 10, 0, 0.5), (0, 0, 10, 8, 0, 0.9)))
    assert verdicts == ["duplicate", "right"] and outcomes == ["right", "missed"]


def test_a_second_prediction_may_take_a_second_box():
    boxes = np.array([[0, 0, 10, 10], [0, 2, 10, 12]], float)
    verdicts, outcomes = match_detections(boxes, [0, 0], prediction((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 0, 0.8)))
    assert verdicts == ["right", "right"] and outcomes == ["right", "right"]


def test_a_matched_box_stays_matched():
    verdicts, outcomes = match_detections(BOXES, LABELS, prediction((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 1, 0.8)))
    assert verdicts == ["right", "wrong_class"] and outcomes == ["right", "missed"]


def test_mistakes_are_counted_over_images():
    predictions = [prediction((0, 0, 10, 10, 0, 0.9), (30, 30, 40, 40, 1, 0.2)), prediction()]
    counts = count_mistakes([BOXES, BOXES[:1]], [LABELS, [0]], predictions)
    assert counts == {"right": 1} | dict.fromkeys(MISTAKES, 0) | {"missed": 2, "background": 1}


def test_an_image_without_boxes():
    assert match_detections(np.zeros((0, 4)), [], prediction((0, 0, 1, 1, 0, 0.5))) == (["background"], [])
