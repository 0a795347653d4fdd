"""Predictions of arrays in memory, without a data pipeline."""

import keras
import numpy as np


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
