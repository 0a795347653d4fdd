import keras
import numpy as np

from tl_keras.callbacks import ReleaseRows


class Counted:
    def __init__(self):
        self.released = 0

    def release(self):
        self.released += 1


def test_rows_are_released_after_each_batch():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    features, x, y = Counted(), np.zeros((6, 2)), np.zeros((6, 1))
    model.fit(
        x,
        y,
        batch_size=2,
        validation_data=(x[:4], y[:4]),
        validation_batch_size=2,
        verbose=0,
        callbacks=[ReleaseRows(features)],
    )
    assert features.released == 3 + 2
