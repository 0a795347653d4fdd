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
    sides = [
        np.minimum(first[:, None, end], second[None, :, end])
        - np.maximum(first[:, None, end - 2], second[None, :, end - 2])
        for end in (2, 3)
    ]
    intersection = np.maximum(sides[0], 0) * np.maximum(sides[1], 0)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second)]
    return intersection / np.maximum(areas[0][:, None] + areas[1][None, :] - intersection, np.finfo("float64").tiny)
