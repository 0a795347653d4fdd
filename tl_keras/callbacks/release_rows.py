"""Callback that releases the memory of rows read from disk."""

import keras


class ReleaseRows(keras.callbacks.Callback):
    """Releases the memory of cached activations read from disk after each batch.

    Args:
        features: `Features` that the model is fitted on.
    """

    def __init__(self, features):
        super().__init__()
        self._features = features

    def on_train_batch_end(self, batch, logs=None):
        """Releases the rows read for training."""
        self._features.release()

    def on_test_batch_end(self, batch, logs=None):
        """Releases the rows read for validation."""
        self._features.release()
