import numpy as np

from tests.models.detection.tiny_detectors import overlap, random_boxes
from tl_keras.models.detection.targets.iou import generalized_iou, iou, pairwise_iou


def test_overlaps_are_those_of_numpy():
    boxes, others = random_boxes((2, 5), 0), random_boxes((2, 6), 1)
    overlaps = np.asarray(pairwise_iou(boxes, others))
    expected = [[[overlap(box, other) for other in others[image]] for box in boxes[image]] for image in (0, 1)]
    np.testing.assert_allclose(overlaps, expected, atol=1e-6)


def test_equal_boxes_agree_and_boxes_without_area_do_not():
    boxes = np.array([[1, 2, 5, 9], [3, 3, 3, 3], [-1, -1, -1, -1]], "float32")
    np.testing.assert_array_equal(pairwise_iou(boxes, boxes), [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_pairs_are_the_diagonal():
    boxes, others = random_boxes((2, 5), 0), random_boxes((2, 5), 1)
    pairs = np.diagonal(np.asarray(pairwise_iou(boxes, others)), axis1=1, axis2=2)
    np.testing.assert_allclose(iou(boxes, others), pairs, atol=1e-6)


def test_generalized_overlaps_fall_with_the_distance():
    box = np.array([0, 0, 2, 2], "float32")
    others = np.array([[0, 0, 2, 2], [2, 0, 4, 2], [4, 0, 6, 2], [1, 1, 3, 3]], "float32")
    # Hulls of 4, 8, 12 and 9 with 0, 0, 4 and 2 that are in neither box.
    np.testing.assert_allclose(generalized_iou(box, others), [1, 0, -1 / 3, 1 / 7 - 2 / 9], atol=1e-6)
