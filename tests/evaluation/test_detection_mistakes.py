import numpy as np
import pytest

from tl_keras.evaluation.detection_mistakes import MISTAKES, count_mistakes, match_detections

TRUTH = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], float)
LABELS = [0, 1]


def prediction(*rows):
    boxes = np.array([row[:4] for row in rows], float).reshape(-1, 4)
    return {"boxes": boxes, "labels": np.array([row[4] for row in rows], int), "scores": [row[5] for row in rows]}


@pytest.mark.parametrize(
    ("row", "verdict", "found"),
    [
        ((0, 0, 10, 9, 0, 0.9), "right", ["right", "missed"]),
        ((0, 0, 10, 9, 1, 0.9), "wrong_class", ["", "missed"]),
        # An overlap of 0.4, which counts as a try at the box.
        ((0, 0, 10, 4, 0, 0.9), "badly_placed", ["", "missed"]),
        ((0, 0, 10, 4, 1, 0.9), "wrong_class_and_badly_placed", ["missed", "missed"]),
        ((0, 0, 10, 0.9, 0, 0.9), "background", ["missed", "missed"]),
        ((30, 30, 40, 40, 0, 0.9), "background", ["missed", "missed"]),
    ],
)
def test_each_kind(row, verdict, found):
    assert match_detections(TRUTH, LABELS, prediction(row)) == ([verdict], found)


def test_the_surest_is_right_and_the_other_a_duplicate():
    verdicts, found = match_detections(TRUTH, LABELS, prediction((0, 0, 10, 10, 0, 0.5), (0, 0, 10, 8, 0, 0.9)))
    assert verdicts == ["duplicate", "right"] and found == ["right", "missed"]


def test_a_second_prediction_may_take_a_second_box():
    truth = np.array([[0, 0, 10, 10], [0, 2, 10, 12]], float)
    verdicts, found = match_detections(truth, [0, 0], prediction((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 0, 0.8)))
    assert verdicts == ["right", "right"] and found == ["right", "right"]


def test_a_box_that_is_found_stays_found():
    verdicts, found = match_detections(TRUTH, LABELS, prediction((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 1, 0.8)))
    assert verdicts == ["right", "wrong_class"] and found == ["right", "missed"]


def test_counts_over_images():
    predictions = [prediction((0, 0, 10, 10, 0, 0.9), (30, 30, 40, 40, 1, 0.2)), prediction()]
    counts = count_mistakes([TRUTH, TRUTH[:1]], [LABELS, [0]], predictions)
    assert counts == {"right": 1} | dict.fromkeys(MISTAKES, 0) | {"missed": 2, "background": 1}


def test_an_image_without_boxes():
    assert match_detections(np.zeros((0, 4)), [], prediction((0, 0, 1, 1, 0, 0.5))) == (["background"], [])
