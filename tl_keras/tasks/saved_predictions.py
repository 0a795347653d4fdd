"""Checks of what a saved model returns, which may come from a stranger."""

import numpy as np

from tl_keras.errors import InputError, counted

TOLERANCE = 1e-3


def check_probabilities(values, num_examples):
    """Refuses predictions that are not one row of probabilities for each example.

    Args:
        values: array that a model returned, (n, num_classes).
        num_examples: number of the examples n.

    Returns:
        The same as float32.

    Raises:
        InputError: there are more or fewer rows, NaN, infinity, or numbers below 0 or above 1.
    """
    values = np.asarray(values, "float32")
    if len(values) != num_examples:
        raise InputError(
            f"The model returned {counted(len(values), 'prediction')} for {counted(num_examples, 'example')}: it is "
            "damaged."
        )
    if not np.isfinite(values).all():
        raise InputError(
            "The model returned NaN or infinity: it is damaged, or its training has diverged; train again with a lower "
            "learning rate."
        )
    if values.size and (values.min() < -TOLERANCE or values.max() > 1 + TOLERANCE):
        raise InputError(
            f"The model returned values from {values.min():.3g} to {values.max():.3g}, expected probabilities from 0 "
            "to 1: it does not belong to a run of this task."
        )
    return values


def check_detections(detections, num_classes):
    """Refuses detections with boxes that are not finite, or with classes that the model has no name for.

    Args:
        detections: list of dicts of `boxes`, float32 (k, 4), and `labels`, int (k,).
        num_classes: number of the class names of the model.

    Returns:
        The same.

    Raises:
        InputError: a box or a label is invalid.
    """
    for one in detections:
        if not np.isfinite(one["boxes"]).all():
            raise InputError("The model returned boxes with NaN or infinity: it is damaged, or its training diverged.")
        if len(one["labels"]) and not 0 <= one["labels"].min() <= one["labels"].max() < num_classes:
            raise InputError(
                f"The model returned the classes {one['labels'].min()} to {one['labels'].max()}, expected 0 to "
                f"{num_classes - 1}, the classes that it names: it is damaged."
            )
    return detections
