"""Intersection over union: how well two boxes agree."""

from keras import ops

SMALLEST_AREA = 1e-9


def box_overlaps(boxes, others):
    """Computes the intersection over union of every box with every other.

    Args:
        boxes: float32 (..., n, 4), xyxy. A box whose second corner does not lie beyond the first has no area.
        others: float32 (..., m, 4), xyxy.

    Returns:
        float32 (..., n, m), 0 to 1; 0 where neither has an area.
    """
    # Coordinate by coordinate: sums and products over an axis of two numbers take several times as long.
    left, top, right, bottom = (boxes[..., :, None, side] for side in range(4))
    other_left, other_top, other_right, other_bottom = (others[..., None, :, side] for side in range(4))
    width = ops.minimum(right, other_right) - ops.maximum(left, other_left)
    height = ops.minimum(bottom, other_bottom) - ops.maximum(top, other_top)
    shared = ops.relu(width) * ops.relu(height)
    area = ops.relu(right - left) * ops.relu(bottom - top)
    union = area + ops.relu(other_right - other_left) * ops.relu(other_bottom - other_top) - shared
    # Where there is no union nothing is shared either.
    return shared / ops.maximum(union, SMALLEST_AREA)
