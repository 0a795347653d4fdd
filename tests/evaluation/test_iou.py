import numpy as np

from tl_keras.evaluation.iou import pairwise_iou


def test_iou_by_hand():
    first = [[0, 0, 10, 10], [0, 0, 0, 0]]
    second = [[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 7]]
    np.testing.assert_allclose(pairwise_iou(first, second), [[1, 50 / 150, 0, 10 / 100], [0, 0, 0, 0]])


def test_no_boxes():
    assert pairwise_iou([], [[0, 0, 1, 1]]).shape == (0, 1) and pairwise_iou([[0, 0, 1, 1]], []).shape == (1, 0)
