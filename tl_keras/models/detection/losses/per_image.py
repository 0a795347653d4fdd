"""Losses of detectors, one value per image."""

from keras import ops


def l1_loss(values, targets):
    """Computes the L1 loss of boxes, the sum over their four coordinates.

    It equals smooth L1 with a beta of 0, detectron2's default.

    Args:
        values: float32 (..., 4).
        targets: float32 (..., 4).

    Returns:
        float32 (...).
    """
    return ops.sum(ops.abs(values - targets), axis=-1)


def focal_cross_entropy(logits, targets, *, alpha=0.25, gamma=2.0):
    """Computes the focal loss, a cross-entropy that reduces the weight of easy examples.

    Lin et al. 2017, "Focal Loss for Dense Object Detection" (https://arxiv.org/abs/1708.02002, equation 5):
    -alpha_t (1 - p_t)^gamma log(p_t).

    Args:
        logits: float32, any shape.
        targets: float32 of the same shape, 0 or 1.
        alpha: weight of positive targets, 0 to 1; negative targets have 1 - alpha.
        gamma: strength of the reduction, at least 0.

    Returns:
        float32 of the same shape.
    """
    cross_entropy = ops.binary_crossentropy(targets, logits, from_logits=True)
    miss = ops.abs(targets - ops.sigmoid(logits))
    weight = targets * alpha + (1 - targets) * (1 - alpha)
    return weight * miss**gamma * cross_entropy


def mean_of_sample(values, is_sampled):
    """Averages values over a sample.

    Args:
        values: float32 (batch, n).
        is_sampled: bool (batch, n).

    Returns:
        float32 (batch,); 0 where the sample is empty.
    """
    weights = ops.cast(is_sampled, "float32")
    return ops.sum(ops.where(is_sampled, values, 0.0), axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)
