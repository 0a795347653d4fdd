"""Gives the memory of rows back that were read from the disk."""

import keras


class ReleaseRows(keras.callbacks.Callback):
    """Keeps activations on the disk from filling the memory: after each batch, what was read of them is let go.

    Args:
        features: `Features` that the model is fit on.
    """

    def __init__(self, features):
        super().__init__()
        self._features = features

    def on_train_batch_end(self, batch, logs=None):
        """Lets go of what was read for training."""
        self._features.release()

    def on_test_batch_end(self, batch, logs=None):
        """Lets go of what was read for validation."""
        self._features.release()
