"""Intersection over union of boxes."""

import numpy as np


def pairwise_iou(first, second):
    """Computes the pairwise IoU of two sets of boxes.

    Args:
        first: float (k, 4), xyxy.
        second: float (j, 4), xyxy.

    Returns:
        float64 (k, j), 0 to 1.
    """
    first, second = (np.asarray(boxes, "float64").reshape(-1, 4) for boxes in (first, second))
    low, high = np.maximum(first[:, None, :2], second[:, :2]), np.minimum(first[:, None, 2:], second[:, 2:])
    intersection = np.maximum(high - low, 0).prod(axis=-1)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second)]
    return intersection / np.maximum(areas[0][:, None] + areas[1][None, :] - intersection, np.finfo("float64").tiny)
