"""Callback that gives all workers the chief's metrics."""

import keras

from tl_keras.distribution.collectives import broadcast


class BroadcastLogs(keras.callbacks.Callback):
    """Broadcasts the chief's metrics after each epoch, so that phases end at the same epoch everywhere.

    Place it first in the list of callbacks. Reduced metrics may differ between workers in the last bit, which can
    decide whether a plateau is reached.

    Args:
        strategy: `tf.distribute.Strategy`.
    """

    def __init__(self, strategy):
        super().__init__()
        self._strategy = strategy

    def on_epoch_end(self, epoch, logs=None):
        """Replaces the metrics with those of the chief."""
        logs.update(broadcast(self._strategy, {name: float(value) for name, value in logs.items()}))
