"""Non-maximum suppression: of boxes that lie upon each other only the one with the best score stays."""

from keras import ops

from tl_keras.models.detection.overlap import box_overlaps


def keep_maxima(boxes, is_candidate, threshold, labels=None):
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
    is_before = ops.arange(number)[:, None] < ops.arange(number)[None, :]
    suppresses = (box_overlaps(boxes, boxes) > threshold) & is_before[None] & is_candidate[:, :, None]
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
