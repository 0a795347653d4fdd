"""IoU and generalized IoU of pairs of boxes.

`keras.utils.bounding_boxes.compute_iou` computes all pairs of two sets, and adds 1e-7 to the union, too much for boxes
relative to the image.
"""

from keras import ops

MIN_AREA = 1e-9


def iou(boxes, others):
    """Computes the IoU of corresponding boxes.

    Args:
        boxes: float32 (..., 4), xyxy. The area of a box of negative width or height is 0.
        others: float32 (..., 4), xyxy, of a broadcastable shape.

    Returns:
        float32 (...), 0 to 1; 0 where both areas are 0.
    """
    intersection, union = _intersection_and_union(boxes, others)
    return intersection / ops.maximum(union, MIN_AREA)


def generalized_iou(boxes, others):
    """Computes the generalized IoU, which decreases with the distance of disjoint boxes.

    Rezatofighi et al. 2019 (https://arxiv.org/abs/1902.09630, algorithm 1).

    Args:
        boxes: as for `iou`.
        others: as for `iou`.

    Returns:
        float32 (...), -1 to 1.
    """
    intersection, union = _intersection_and_union(boxes, others)
    width = ops.maximum(boxes[..., 2], others[..., 2]) - ops.minimum(boxes[..., 0], others[..., 0])
    height = ops.maximum(boxes[..., 3], others[..., 3]) - ops.minimum(boxes[..., 1], others[..., 1])
    hull = ops.maximum(width * height, MIN_AREA)
    return intersection / ops.maximum(union, MIN_AREA) - (hull - union) / hull


def _intersection_and_union(boxes, others):
    # Reductions over an axis of two numbers would take several times as long as separate coordinates.
    left, top, right, bottom = (boxes[..., side] for side in range(4))
    other_left, other_top, other_right, other_bottom = (others[..., side] for side in range(4))
    width = ops.minimum(right, other_right) - ops.maximum(left, other_left)
    height = ops.minimum(bottom, other_bottom) - ops.maximum(top, other_top)
    intersection = ops.relu(width) * ops.relu(height)
    area = ops.relu(right - left) * ops.relu(bottom - top)
    other_area = ops.relu(other_right - other_left) * ops.relu(other_bottom - other_top)
    return intersection, area + other_area - intersection
