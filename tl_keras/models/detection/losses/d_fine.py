"""Losses of D-FINE: each ground-truth box is matched with one prediction of every layer.

Peng et al. 2024, "D-FINE: Redefine Regression Task in DETRs as Fine-grained Distribution Refinement"
(https://arxiv.org/abs/2410.13842, sections 4.1 and 4.2); weights and details follow the authors' code. Boxes are
relative center_xywh, `layers` are all layers with predictions, `distributing` those that refine distributions.
"""

from dataclasses import dataclass

import keras
from keras import ops

from tl_keras.models.detection.losses.per_image import l1_loss
from tl_keras.models.detection.targets.assignment import linear_sum_assignment
from tl_keras.models.detection.targets.iou import generalized_iou, iou

MATCH_CLASS, MATCH_L1, MATCH_IOU = 2.0, 5.0, 2.0
MATCH_ALPHA, ALPHA, GAMMA = 0.25, 0.75, 2.0
CLASS, L1, IOU, EDGES, DISTILLATION = 1.0, 5.0, 2.0, 0.15, 1.5
TEMPERATURE = 5.0
EPSILON = 1e-8


@dataclass(frozen=True)
class GroundTruth:
    """Holds the ground-truth boxes of a batch."""

    boxes: object
    """float32 (batch, max_boxes, 4), relative center_xywh."""
    classes: object
    """float32 (batch, max_boxes, num_classes), one-hot, zero for padding."""
    is_box: object
    """bool (batch, max_boxes)."""

    @property
    def count(self):
        """float32 (), number of boxes in the batch, at least 1."""
        return ops.maximum(ops.sum(ops.cast(self.is_box, "float32")), 1.0)


def match_queries(logits, boxes, ground_truth):
    """Matches each ground-truth box with one prediction of every layer at minimum total cost.

    Carion et al. 2020, "DETR" (https://arxiv.org/abs/2005.12872, section 3.1), with the focal cost of Zhu et al. 2020
    (https://arxiv.org/abs/2010.04159, appendix A.1).

    Args:
        logits: float32 (batch, layers, n, num_classes).
        boxes: float32 (batch, layers, n, 4).
        ground_truth: `GroundTruth`.

    Returns:
        float32 (batch, layers, max_boxes, n): 1 where a box and a prediction match, else 0.
    """
    layers, number = logits.shape[1:3]
    max_boxes = ground_truth.boxes.shape[1]
    p = ops.sigmoid(logits)
    focal = MATCH_ALPHA * (1 - p) ** GAMMA * -ops.log(p + EPSILON)
    focal -= (1 - MATCH_ALPHA) * p**GAMMA * -ops.log(1 - p + EPSILON)
    cost = MATCH_CLASS * ops.einsum("blnc,bmc->blmn", focal, ground_truth.classes)
    pairs = ground_truth.boxes[:, None, :, None], boxes[:, :, None]
    cost += MATCH_L1 * sum(ops.abs(pairs[0][..., side] - pairs[1][..., side]) for side in range(4))
    cost -= MATCH_IOU * generalized_iou(*map(corners, pairs))
    is_row = ops.repeat(ground_truth.is_box, layers, axis=0)
    columns = linear_sum_assignment(ops.reshape(cost, (-1, max_boxes, number)), is_row)
    return ops.one_hot(ops.reshape(columns, (-1, layers, max_boxes)), number)


def class_losses(logits, boxes, matches, ground_truth):
    """Computes the varifocal loss, whose targets are the IoUs of the predicted boxes.

    Zhang et al. 2020 (https://arxiv.org/abs/2008.13367, equation 2).

    Args:
        logits: float32 (batch, layers, n, num_classes).
        boxes: float32 (batch, layers, n, 4).
        matches: float32 (batch, layers, max_boxes, n) from `match_queries`.
        ground_truth: `GroundTruth`.

    Returns:
        float32 (batch,); its mean is the sum over the batch divided by the number of ground-truth boxes.
    """
    own = ops.einsum("blmn,blnk->blmk", matches, boxes)
    ious = ops.stop_gradient(iou(corners(own), corners(ground_truth.boxes)[:, None]))
    is_class = ops.einsum("blmn,bmc->blnc", matches, ground_truth.classes)
    scores = ops.einsum("blmn,blm,bmc->blnc", matches, ious, ground_truth.classes)
    weights = ALPHA * ops.stop_gradient(ops.sigmoid(logits)) ** GAMMA * (1 - is_class) + scores
    losses = weights * ops.binary_crossentropy(scores, logits, from_logits=True)
    return CLASS * _share(ops.sum(losses, axis=(1, 2, 3)), ground_truth.count)


@dataclass(frozen=True)
class Union:
    """Holds the union of the matches of all layers, so that all layers learn the same boxes."""

    boxes: object
    """float32 (batch, n, 4), the box of each prediction, the one that it has in the majority of layers."""
    weights: object
    """float32 (batch, n): 1 where a prediction has a box in any layer, else 0."""

    @classmethod
    def of(cls, matches, ground_truth):
        """Unites the matches of all layers (D-FINE, section 4.2)."""
        votes = ops.sum(matches, axis=1)
        winners = ops.cast(ops.argmax(votes, axis=1), "int32")
        boxes = ops.take_along_axis(ground_truth.boxes, winners[..., None], axis=1)
        return cls(boxes, ops.cast(ops.max(votes, axis=1) > 0, "float32"))

    @property
    def count(self):
        """float32 (), number of predictions with a box in the batch, at least 1."""
        return ops.maximum(ops.sum(self.weights), 1.0)


def box_losses(boxes, union):
    """Computes the L1 loss and the generalized IoU loss of predictions and their boxes.

    Args:
        boxes: float32 (batch, layers, n, 4).
        union: `Union`.

    Returns:
        float32 (batch,); its mean is the sum over the batch divided by the number of predictions with a box.
    """
    targets = union.boxes[:, None]
    losses = L1 * l1_loss(boxes, targets)
    losses += IOU * (1 - generalized_iou(corners(boxes), corners(targets)))
    return _share(ops.sum(losses * union.weights[:, None], axis=(1, 2)), union.count)


def edge_losses(distributions, starts, logits, boxes, union, values, scale):
    """Computes the fine-grained localization loss of edges and the distillation from the last layer.

    Args:
        distributions: float32 (batch, distributing, n, 4 * bins), logits over the distances.
        starts: float32 (batch, n, 4), the boxes that the distances start from.
        logits: float32 (batch, n, num_classes), those of the last layer.
        boxes: float32 (batch, distributing, n, 4), the boxes of these layers.
        union: `Union`.
        values: float32 (bins,), the distances from `bin_distances`.
        scale: float32 (), as for `bin_distances`.

    Returns:
        float32 (batch,), as `box_losses`.
    """
    distributions = ops.reshape(distributions, (-1, *distributions.shape[1:3], 4, values.shape[0]))
    ious = ops.stop_gradient(iou(corners(boxes), corners(union.boxes)[:, None]))
    targets = ops.stop_gradient(_edge_targets(starts, union.boxes, values, scale))
    entropy = -ops.sum(targets[:, None] * ops.log_softmax(distributions), axis=(3, 4))
    located = ops.sum(entropy * ious * union.weights[:, None], axis=(1, 2))
    return EDGES * _share(located, union.count) + DISTILLATION * _distillation(distributions, logits, ious, union)


def bin_distances(bins, scale, bound):
    """Computes the distances that the bins of an edge represent: dense around zero, sparse far out.

    D-FINE, section 4.1.

    Args:
        bins: number of bins, odd.
        scale: float32 (), at least 1.
        bound: float32 (), above 0.

    Returns:
        float32 (bins,), ascending; a distance is a share of width or height, multiplied by the scale.
    """
    inner = ops.arange(bins // 2 - 1, dtype="float32") + 1
    side = (scale * bound + 1) ** (2 * inner / (bins - 3)) - 1
    side = ops.concatenate([side, ops.reshape(2 * scale * bound, (1,))])
    return ops.concatenate([-ops.flip(side), ops.zeros(1), side])


def corners(boxes):
    """Converts boxes (..., 4) from center_xywh to xyxy."""
    return keras.utils.bounding_boxes.convert_format(boxes, "center_xywh", "xyxy")


def _edge_targets(starts, boxes, values, scale):
    """Distributes each distance over the two bins next to it: (batch, n, 4, bins)."""
    edges = corners(boxes)
    sizes = ops.maximum(starts[..., 2:], EPSILON) / scale
    before = (starts[..., :2] - edges[..., :2]) / sizes
    behind = (edges[..., 2:] - starts[..., :2]) / sizes
    distances = ops.concatenate([before, behind], axis=-1) - scale / 2
    last = values.shape[0] - 1
    left = ops.sum(ops.cast(distances[..., None] >= values, "int32"), axis=-1) - 1
    left = ops.clip(left, 0, last - 1)
    low, high = ops.take(values, left), ops.take(values, left + 1)
    share = ops.clip((distances - low) / (high - low), 0.0, 1.0)[..., None]
    return ops.one_hot(left, last + 1) * (1 - share) + ops.one_hot(left + 1, last + 1) * share


def _distillation(distributions, logits, ious, union):
    """Computes the divergence from the last layer's distributions, weighted by its IoU or confidence (section 4.2)."""
    teacher = ops.stop_gradient(distributions[:, -1:]) / TEMPERATURE
    students = distributions[:, :-1] / TEMPERATURE
    difference = ops.log_softmax(teacher) - ops.log_softmax(students)
    divergence = TEMPERATURE**2 * ops.sum(ops.softmax(teacher) * difference, axis=(3, 4)) / 4
    has_box = union.weights[:, None]
    confidence = ops.stop_gradient(ops.max(ops.sigmoid(logits), axis=-1))[:, None]
    divergence *= ops.where(has_box > 0, ious[:, :-1], confidence)
    parts = []
    for weights in (has_box, 1 - has_box):
        count = ops.sum(weights)
        parts.append((_share(ops.sum(divergence * weights, axis=(1, 2)), ops.maximum(count, 1.0)), ops.sqrt(count)))
    return sum(loss * root for loss, root in parts) / sum(root for _, root in parts)


def _share(sums, count):
    """Divides by a number of the whole batch; the factor batch size cancels the detector's mean over the images."""
    return sums * ops.cast(ops.shape(sums)[0], "float32") / count
