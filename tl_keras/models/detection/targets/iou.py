"""Intersection over union: how well two boxes agree."""

from keras import ops

SMALLEST_AREA = 1e-9


def pairwise_iou(boxes, others):
    """Computes the intersection over union of every box with every other.

    Args:
        boxes: float32 (..., n, 4), xyxy. A box whose second corner does not lie beyond the first has no area.
        others: float32 (..., m, 4), xyxy.

    Returns:
        float32 (..., n, m), 0 to 1; 0 where neither has an area.
    """
    return iou(boxes[..., :, None, :], others[..., None, :, :])


def iou(boxes, others):
    """Computes the intersection over union of boxes with others, one by one.

    Args:
        boxes: float32 (..., 4), xyxy. A box whose second corner does not lie beyond the first has no area.
        others: float32 (..., 4), xyxy, of the same or a broadcastable shape.

    Returns:
        float32 (...), 0 to 1; 0 where neither has an area.
    """
    shared, union = _shared_and_union(boxes, others)
    # Where there is no union nothing is shared either.
    return shared / ops.maximum(union, SMALLEST_AREA)


def generalized_iou(boxes, others):
    """Computes the generalized intersection over union, which falls on with the distance of boxes that do not meet.

    Rezatofighi et al. 2019 (https://arxiv.org/abs/1902.09630, algorithm 1).

    Args:
        boxes: as for `iou`.
        others: as for `iou`.

    Returns:
        float32 (...), -1 to 1.
    """
    shared, union = _shared_and_union(boxes, others)
    width = ops.maximum(boxes[..., 2], others[..., 2]) - ops.minimum(boxes[..., 0], others[..., 0])
    height = ops.maximum(boxes[..., 3], others[..., 3]) - ops.minimum(boxes[..., 1], others[..., 1])
    hull = ops.maximum(width * height, SMALLEST_AREA)
    return shared / ops.maximum(union, SMALLEST_AREA) - (hull - union) / hull


def _shared_and_union(boxes, others):
    # Coordinate by coordinate: sums and products over an axis of two numbers take several times as long.
    left, top, right, bottom = (boxes[..., side] for side in range(4))
    other_left, other_top, other_right, other_bottom = (others[..., side] for side in range(4))
    width = ops.minimum(right, other_right) - ops.maximum(left, other_left)
    height = ops.minimum(bottom, other_bottom) - ops.maximum(top, other_top)
    shared = ops.relu(width) * ops.relu(height)
    area = ops.relu(right - left) * ops.relu(bottom - top)
    return shared, area + ops.relu(other_right - other_left) * ops.relu(other_bottom - other_top) - shared
