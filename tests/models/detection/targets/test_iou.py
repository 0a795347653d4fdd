import numpy as np

from tests.models.detection.tiny_detectors import numpy_iou, random_boxes
from tl_keras.models.detection.targets.iou import generalized_iou, iou


def test_iou_equals_numpy():
    boxes, others = random_boxes((2, 5), 0), random_boxes((2, 5), 1)
    expected = [[numpy_iou(*pair) for pair in zip(*rows, strict=True)] for rows in zip(boxes, others, strict=True)]
    np.testing.assert_allclose(iou(boxes, others), expected, atol=1e-6)


def test_iou_is_1_for_equal_boxes_and_0_for_boxes_without_area():
    boxes = np.array([[1, 2, 5, 9], [3, 3, 3, 3], [-1, -1, -1, -1]], "float32")
    np.testing.assert_array_equal(iou(boxes[:, None], boxes[None]), [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_generalized_iou_decreases_with_the_distance():
    box = np.array([0, 0, 2, 2], "float32")
    others = np.array([[0, 0, 2, 2], [2, 0, 4, 2], [4, 0, 6, 2], [1, 1, 3, 3]], "float32")
    # Hulls of 4, 8, 12 and 9, of which 0, 0, 4 and 2 are in neither box.
    np.testing.assert_allclose(generalized_iou(box, others), [1, 0, -1 / 3, 1 / 7 - 2 / 9], atol=1e-6)
