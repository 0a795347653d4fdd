"""Decides which true box, if any, each anchor or proposal stands for."""

from keras import ops

from tl_keras.models.detection.targets.iou import pairwise_iou

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1


def match_boxes(candidates, boxes, is_box, *, negative_below, positive_from, keep_best=False):
    """Matches candidates to the true boxes of their image by intersection over union.

    Ren et al. 2015 (https://arxiv.org/abs/1506.01497, section 3.1.2); the rules are those of detectron2's `Matcher`.

    Args:
        candidates: float32 (batch or 1, n, 4), xyxy: anchors or proposals.
        boxes: float32 (batch, max_boxes, 4), xyxy: the true boxes, padded.
        is_box: bool (batch, max_boxes), False for padding.
        negative_below: candidates whose best overlap is below are background, 0 to 1.
        positive_from: candidates whose best overlap is at least this are objects; those between are ignored.
        keep_best: True makes the candidates that overlap a true box most objects too, be it ever so little, so that no
            box is left without one.

    Returns:
        Tuple of int32 (batch, n), the index of the true box that overlaps most, and int32 (batch, n): 1 for an object,
        0 for background, -1 for neither. In an image without boxes all are background.
    """
    overlaps = ops.where(is_box[:, None, :], pairwise_iou(candidates, boxes), -1.0)
    best = ops.max(overlaps, axis=2)
    kinds = ops.where(best >= positive_from, POSITIVE, ops.where(best < negative_below, NEGATIVE, IGNORED))
    if keep_best:
        best_of_box = ops.max(overlaps, axis=1, keepdims=True)
        is_best = ops.any((overlaps == best_of_box) & (overlaps > 0), axis=2)
        kinds = ops.where(is_best, POSITIVE, kinds)
    return ops.cast(ops.argmax(overlaps, axis=2), "int32"), ops.cast(kinds, "int32")
