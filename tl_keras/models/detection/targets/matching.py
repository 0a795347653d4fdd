"""Matching of anchors and proposals with ground-truth boxes."""

import keras
from keras import ops

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1


def match_boxes(candidates, boxes, is_box, *, negative_below, positive_from, keep_best=False):
    """Matches candidates with the ground-truth boxes of their image by IoU.

    Ren et al. 2015 (https://arxiv.org/abs/1506.01497, section 3.1.2); the rules are those of detectron2's `Matcher`.

    Args:
        candidates: float32 (batch or 1, n, 4), xyxy: anchors or proposals.
        boxes: float32 (batch, max_boxes, 4), xyxy: the ground-truth boxes, padded.
        is_box: bool (batch, max_boxes), False for padding.
        negative_below: candidates whose best IoU is lower are background, 0 to 1.
        positive_from: candidates whose best IoU is at least this are objects; those between are ignored.
        keep_best: True also makes the candidates with the best IoU of each box objects, unless it is 0, so that no box
            is without one.

    Returns:
        Tuple of int32 (batch, n), the index of the box with the best IoU, and int32 (batch, n): 1 for an object, 0 for
        background, -1 for ignored. In an image without boxes all candidates are background.
    """
    ious = keras.utils.bounding_boxes.compute_iou(candidates, boxes, "xyxy")
    ious = ops.where(is_box[:, None, :], ious, -1.0)
    best = ops.max(ious, axis=2)
    kinds = ops.where(best >= positive_from, POSITIVE, ops.where(best < negative_below, NEGATIVE, IGNORED))
    if keep_best:
        best_of_box = ops.max(ious, axis=1, keepdims=True)
        is_best = ops.any((ious == best_of_box) & (ious > 0), axis=2)
        kinds = ops.where(is_best, POSITIVE, kinds)
    return ops.cast(ops.argmax(ious, axis=2), "int32"), ops.cast(kinds, "int32")
