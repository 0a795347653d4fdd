import numpy as np
from tiny_detectors import overlap, random_boxes

from tl_keras.models.detection.overlap import box_overlaps


def test_overlaps_are_those_of_numpy():
    boxes, others = random_boxes((2, 5), 0), random_boxes((2, 6), 1)
    overlaps = np.asarray(box_overlaps(boxes, others))
    expected = [[[overlap(box, other) for other in others[image]] for box in boxes[image]] for image in (0, 1)]
    np.testing.assert_allclose(overlaps, expected, atol=1e-6)


def test_equal_boxes_agree_and_boxes_without_area_do_not():
    boxes = np.array([[1, 2, 5, 9], [3, 3, 3, 3], [-1, -1, -1, -1]], "float32")
    np.testing.assert_array_equal(box_overlaps(boxes, boxes), [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
