import keras
import numpy as np

from tl_keras.callbacks.unread_logs import UnreadLogs


class Record(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.kinds, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.kinds.append(keras.ops.is_tensor(logs["loss"]))

    def on_test_batch_end(self, batch, logs=None):
        self.kinds.append(keras.ops.is_tensor(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((self.params["steps"], self.params["epochs"], sorted(logs), type(logs["loss"])))


def test_logs_of_batches_stay_on_the_device_and_those_of_epochs_are_numbers():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = (np.ones((6, 3), "float32"), np.ones((6, 1), "float32"))
    record = Record()
    watching = UnreadLogs([record], model, 3, 2)
    history = model.fit(*data, batch_size=2, epochs=2, validation_data=data, verbose=0, callbacks=watching)
    assert record.kinds == [True] * 12
    assert record.epochs == [(3, 2, ["loss", "val_loss"], float)] * 2
    assert sorted(history.history) == ["loss", "val_loss"] and len(history.history["loss"]) == 2
