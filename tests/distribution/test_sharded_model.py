import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_keras.distribution import sharded_model
from tl_keras.distribution.sharded_model import shard_steps
from tl_keras.transfer import StagedAdamW


def fitted(change, images, labels, **settings):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    outputs = keras.layers.BatchNormalization()(keras.layers.Dense(8, use_bias=False)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(outputs))
    model.compile(StagedAdamW(0.01, **settings), "categorical_crossentropy", metrics=["accuracy"])
    change(model)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(4)
    history = model.fit(data, validation_data=data, epochs=3, verbose=0).history
    return model.get_weights(), history


@pytest.mark.parametrize("settings", [{}, {"global_clipnorm": 0.1}, {"use_ema": True}])
def test_steps_on_one_device_equal_those_of_keras(settings):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(9, 4)).astype("float32")
    labels = keras.utils.to_categorical(generator.integers(0, 3, 9), 3)
    plain, plain_history = fitted(lambda model: None, images, labels, **settings)
    sharded, history = fitted(shard_steps, images, labels, **settings)
    for one, other in zip(plain, sharded, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for name, values in plain_history.items():
        np.testing.assert_allclose(history[name], values, atol=1e-6, err_msg=name)


def test_an_empty_shard_has_weight_zero():
    empty = (tf.zeros((0, 4)), {"labels": tf.zeros((0, 2), tf.int32)})
    (images, targets), count = sharded_model._fill_empty_shard(empty)
    assert count == 0
    assert (images.shape, targets["labels"].shape) == ((1, 4), (1, 2))
    full, count = sharded_model._fill_empty_shard((tf.zeros((3, 4)),))
    assert (count, full[0].shape) == (3, (3, 4))
