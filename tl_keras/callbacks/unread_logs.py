"""List of callbacks that lets the device run ahead of the host."""

import keras


class UnreadLogs(keras.callbacks.CallbackList):
    """Hands the logs of a batch on as tensors, for whose values the host would have to wait.

    Keras's own list converts those of every batch to numbers. Logs of an epoch are converted here, too.

    Args:
        callbacks: list of `keras.callbacks.Callback`, which read the logs of a batch rarely.
        model: the `keras.Model` that is fitted.
        steps: steps of an epoch.
        epochs: epoch at which `fit` ends.
    """

    def __init__(self, callbacks, model, steps, epochs):
        super().__init__(callbacks, add_history=True, model=model, verbose=0, steps=steps, epochs=epochs)

    def on_train_batch_end(self, batch, logs=None):
        """Calls the callbacks after a step of training."""
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        """Calls the callbacks after a step of validation."""
        for callback in self.callbacks:
            callback.on_test_batch_end(batch, logs)
