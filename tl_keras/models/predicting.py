"""Predictions of arrays in memory, without a data pipeline."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from tl_keras.errors import MAX_QUOTED, InputError, first_line, is_disk_full, is_out_of_memory
from tl_keras.models.saved.size_check import UNBUILDABLE

FAILED_LAYER = "Exception encountered when calling"
"""Start of the message that Keras puts before what a layer raises."""
FEW_IMAGES = 8
"""Images up to which the network takes less time than tracing it, which pays off if it is called again."""


def predict_arrays(model, images, batch_size):
    """Predicts an array by batches; around a single image, `model.predict` takes several times what the network takes.

    Args:
        model: `keras.Model`.
        images: array (n, ...) of its inputs, n at least 1.
        batch_size: maximum number of inputs that are computed at once.

    Returns:
        What `model.predict` returns.
    """
    if model.distribute_strategy.num_replicas_in_sync > 1:
        # Each replica would compute the whole batch.
        return model.predict(images, batch_size=batch_size, verbose=0)
    starts = range(0, len(images), batch_size)
    parts = [model.predict_on_batch(images[start : start + batch_size]) for start in starts]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def predict_untraced(model, images):
    """Predicts one batch of images without tracing the network, for a process that calls it only once.

    Args:
        model: `keras.Model` with one input.
        images: array (n, ...) of its inputs.

    Returns:
        What `model.predict` returns, up to rounding errors.
    """
    outputs = model(keras.ops.cast(images, model.input.dtype), training=False)
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


@contextlib.contextmanager
def computing():
    """Raises an `InputError` in place of what the layers of a saved model raise while they compute.

    The model of a stranger is opened by its shapes; a layer may still be unable to compute what it declares.
    """
    try:
        yield
    except UNBUILDABLE as error:
        is_layer = isinstance(error, tf.errors.OpError) or FAILED_LAYER in str(error)
        if not is_layer or isinstance(error, InputError) or is_out_of_memory(error) or is_disk_full(error):
            raise
        reason = first_line(error)[:MAX_QUOTED]
        raise InputError(f"The model cannot be computed ({reason}): it is damaged.") from error
