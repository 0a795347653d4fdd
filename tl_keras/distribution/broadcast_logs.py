"""Lets the chief's metrics decide on all workers when a phase ends."""

import keras

from tl_keras.distribution.collectives import broadcast


class BroadcastLogs(keras.callbacks.Callback):
    """Gives all workers the metrics of the chief at the end of an epoch, so that phases end everywhere alike.

    Comes first in the list of callbacks. Reduced metrics are equal on all workers anyway, but perhaps for the last bit,
    on which a plateau may turn.

    Args:
        strategy: `tf.distribute.Strategy`.
    """

    def __init__(self, strategy):
        super().__init__()
        self._strategy = strategy

    def on_epoch_end(self, epoch, logs=None):
        """Replaces the metrics by those of the chief."""
        logs.update(broadcast(self._strategy, {name: float(value) for name, value in logs.items()}))
