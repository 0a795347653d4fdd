import numpy as np
import pytest

from tests.models.detection.tiny_detectors import numpy_iou, random_boxes
from tl_keras.models.detection.targets.matching import match_boxes

CANDIDATES = random_boxes((1, 40), 0)
BOXES = random_boxes((3, 4), 1)
IS_BOX = np.array([[True, True, True, True], [True, True, False, False], [False] * 4])


@pytest.mark.parametrize("keep_best", [True, False])
def test_matches_equal_numpy(keep_best):
    matches, kinds = match_boxes(CANDIDATES, BOXES, IS_BOX, negative_below=0.3, positive_from=0.5, keep_best=keep_best)
    for image in (0, 1):
        real = BOXES[image][IS_BOX[image]]
        ious = np.array([[numpy_iou(candidate, box) for box in real] for candidate in CANDIDATES[0]])
        expected = np.select([ious.max(1) >= 0.5, ious.max(1) < 0.3], [1, 0], -1)
        if keep_best:
            expected[ious.argmax(0)] = 1
        np.testing.assert_array_equal(kinds[image], expected)
        np.testing.assert_array_equal(matches[image], ious.argmax(1))


def test_all_candidates_are_background_without_boxes():
    _, kinds = match_boxes(CANDIDATES, BOXES, IS_BOX, negative_below=0.3, positive_from=0.5, keep_best=True)
    assert not np.any(kinds[2])


def test_a_box_with_iou_0_matches_no_candidate():
    far = np.full((1, 1, 4), 90, "float32") + np.array([0, 0, 5, 5], "float32")
    _, kinds = match_boxes(
        CANDIDATES, far, np.ones((1, 1), bool), negative_below=0.3, positive_from=0.5, keep_best=True
    )
    assert not np.any(kinds)
