import keras
import numpy as np
import tensorflow as tf

from tl_keras.distribution.broadcast_logs import BroadcastLogs


def test_metrics_of_the_chief_are_unchanged():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    seen = []
    model.fit(
        np.ones((4, 2)),
        np.ones((4, 1)),
        verbose=0,
        callbacks=[
            BroadcastLogs(tf.distribute.get_strategy()),
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs))),
        ],
    )
    assert seen[0]["loss"] > 0
