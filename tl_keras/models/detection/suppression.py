"""Greedy non-maximum suppression."""

import numpy as np
from keras import ops


def non_max_suppression(boxes, is_candidate, threshold, labels=None):
    """Computes the boxes that greedy non-maximum suppression keeps.

    A box is kept unless its IoU with a kept box before it exceeds the threshold. This rule is applied to all boxes at
    once until nothing changes: each round decides at least one more box, in practice a few rounds decide all. The
    result equals the sequential algorithm, with static shapes; `tf.image.combined_non_max_suppression` does not compile
    under XLA.

    Args:
        boxes: float32 (batch, n, 4), xyxy, sorted by descending score.
        is_candidate: bool (batch, n); other boxes are not kept and suppress nothing.
        threshold: IoU above which the later box is dropped, 0 to 1.
        labels: int32 (batch, n); boxes suppress only boxes of the same label. None treats all boxes as one class.

    Returns:
        bool (batch, n), True for kept boxes.
    """
    number = boxes.shape[1]
    is_before = ops.convert_to_tensor(~np.tri(number, dtype=bool))
    suppresses = _exceeds_iou(boxes, is_candidate, threshold) & is_before[None]
    if labels is not None:
        suppresses = suppresses & (labels[:, :, None] == labels[:, None, :])
    suppresses = ops.cast(suppresses, "float32")

    def apply_rule(is_kept, _):
        suppressors = ops.einsum("bi,bij->bj", is_kept, suppresses)
        return ops.cast(is_candidate & (suppressors < 0.5), "float32"), is_kept

    def has_changed(is_kept, before):
        return ops.any(is_kept != before)

    start = ops.cast(is_candidate, "float32")
    is_kept, _ = ops.while_loop(has_changed, apply_rule, apply_rule(start, None), maximum_iterations=number)
    return is_kept > 0.5


def _exceeds_iou(boxes, is_candidate, threshold):
    """Compares the IoU of all pairs of candidates with the threshold: bool (batch, n, n).

    Computes intersection / (area + other - intersection) > threshold without the division: on a CPU, these passes over
    n x n numbers dominate the cost of proposals.
    """
    left, top, right, bottom = (boxes[..., side] for side in range(4))
    limit = threshold * ops.relu(right - left) * ops.relu(bottom - top)
    limit = ops.where(is_candidate, limit, np.inf)
    width = ops.minimum(right[:, :, None], right[:, None]) - ops.maximum(left[:, :, None], left[:, None])
    height = ops.minimum(bottom[:, :, None], bottom[:, None]) - ops.maximum(top[:, :, None], top[:, None])
    return ops.relu(width) * height * (1 + threshold) > limit[:, :, None] + limit[:, None]
