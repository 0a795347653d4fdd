"""Non-maximum suppression: of boxes that lie upon each other only the one with the best score stays."""

import numpy as np
from keras import ops


def non_max_suppression(boxes, is_candidate, threshold, labels=None):
    """Says which boxes greedy suppression keeps.

    A box stays unless one before it that stays overlaps it by more than the threshold. The rule is applied to all boxes
    at once until nothing changes: each round settles at least the next box, in practice a few rounds settle all. So the
    result is exactly the greedy one, with static shapes; `tf.image.combined_non_max_suppression` does not compile
    under XLA.

    Args:
        boxes: float32 (batch, n, 4), xyxy, sorted by score, the best first.
        is_candidate: bool (batch, n); others neither stay nor suppress.
        threshold: intersection over union above which the later box goes, 0 to 1.
        labels: int32 (batch, n); boxes suppress only those of the same label. None: all are of one.

    Returns:
        bool (batch, n).
    """
    number = boxes.shape[1]
    is_before = ops.convert_to_tensor(~np.tri(number, dtype=bool))
    suppresses = _overlap_more(boxes, is_candidate, threshold) & is_before[None]
    if labels is not None:
        suppresses = suppresses & (labels[:, :, None] == labels[:, None, :])
    suppresses = ops.cast(suppresses, "float32")

    def settle(stays, _):
        suppressors = ops.einsum("bi,bij->bj", stays, suppresses)
        return ops.cast(is_candidate & (suppressors < 0.5), "float32"), stays

    def changes(stays, before):
        return ops.any(stays != before)

    start = ops.cast(is_candidate, "float32")
    stays, _ = ops.while_loop(changes, settle, settle(start, None), maximum_iterations=number)
    return stays > 0.5


def _overlap_more(boxes, is_candidate, threshold):
    """Says which candidates overlap by more than the threshold: bool (batch, n, n).

    shared / (area + other - shared) > threshold, without the division: each operation on n x n numbers is one way
    through the memory, and on a CPU these are most of what proposals cost.
    """
    left, top, right, bottom = (boxes[..., side] for side in range(4))
    limit = threshold * ops.relu(right - left) * ops.relu(bottom - top)
    limit = ops.where(is_candidate, limit, np.inf)
    width = ops.minimum(right[:, :, None], right[:, None]) - ops.maximum(left[:, :, None], left[:, None])
    height = ops.minimum(bottom[:, :, None], bottom[:, None]) - ops.maximum(top[:, :, None], top[:, None])
    return ops.relu(width) * height * (1 + threshold) > limit[:, :, None] + limit[:, None]
