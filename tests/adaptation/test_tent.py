import keras
import numpy as np
import tensorflow as tf

from tests.adaptation.domains import classifier, images
from tl_keras.adaptation import minimize_entropy

TARGET = images(32, 3, shift=2.0)


def entropy(probabilities):
    return float(-np.mean(np.sum(probabilities * np.log(probabilities), axis=1)))


def batches():
    return tf.data.Dataset.from_tensor_slices(TARGET).batch(16).repeat()


def test_only_scale_and_offset_change_and_predictions_become_more_confident():
    model = classifier()
    minimize_entropy(model, batches(), 2, learning_rate=1e-9)
    before, weights = entropy(model.predict(TARGET, verbose=0)), {w.path: np.asarray(w) for w in model.weights}
    assert minimize_entropy(model, batches(), 20, learning_rate=0.02) > 0
    assert entropy(model.predict(TARGET, verbose=0)) < before
    moved = {weight.path for weight in model.weights if np.any(weights[weight.path] != weight)}
    assert moved >= {"block1.norm/gamma", "block1.norm/beta"}
    assert moved <= {f"block1.norm/{name}" for name in ("gamma", "beta", "moving_mean", "moving_variance")}


def test_layer_normalization_is_not_trained():
    inputs = keras.Input((4,))
    hidden = keras.layers.BatchNormalization(name="block1.norm")(inputs)
    hidden = keras.layers.LayerNormalization(name="block2.norm")(hidden)
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="head.logits")(hidden))
    before = model.get_layer("block2.norm").get_weights()
    data = tf.data.Dataset.from_tensors(np.random.default_rng(0).normal(size=(16, 4)).astype("float32")).repeat()
    minimize_entropy(model, data, 3, learning_rate=0.1)
    np.testing.assert_array_equal(before, model.get_layer("block2.norm").get_weights())


def test_the_statistics_afterwards_are_those_of_the_target():
    model = classifier()
    minimize_entropy(model, batches(), 2)
    maps = model.get_layer("block1.conv")(TARGET).numpy()
    np.testing.assert_allclose(model.get_layer("block1.norm").moving_mean, maps.mean(axis=(0, 1, 2)), rtol=1e-4)
    assert "call" not in vars(model.get_layer("block1.norm"))


def test_the_loss_is_the_entropy_with_the_statistics_of_the_batch():
    model = classifier()
    one_batch = tf.data.Dataset.from_tensors(TARGET).repeat()
    loss = minimize_entropy(model, one_batch, 1, learning_rate=1e-12)
    # Afterwards the population statistics are those of that batch.
    np.testing.assert_allclose(loss, entropy(model.predict(TARGET, batch_size=32, verbose=0)), rtol=1e-3)
    assert isinstance(model, keras.Model)
