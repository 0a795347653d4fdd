"""Outputs for two domains, a numerical gradient, and a classifier that is traced quickly."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tl_keras.adaptation import DomainOutputs

NUM_CLASSES, CHANNELS = 3, 5


def outputs(count, seed, shift=0.0):
    """Draws `DomainOutputs` of float32 arrays, with a mean of `shift`."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, NUM_CLASSES))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    features = generator.normal(size=(count, CHANNELS)) * (1 + shift) + shift
    return DomainOutputs(features.astype("float32"), probabilities.astype("float32"))


SOURCE, TARGET = outputs(6, 0), outputs(8, 1, shift=0.5)


def assert_gradient_is_correct(method, which, source=SOURCE, target=TARGET, scale=1.0):
    """Compares the gradient for the target's "features" or "probabilities" (`which`) with finite differences."""
    value = getattr(target, which)
    watched = tf.Variable(value)
    with tf.GradientTape() as tape:
        loss = method(source, target._replace(**{which: watched.value()}))
    gradient = tape.gradient(loss, watched).numpy()
    step, places = 1e-2, [(0, 0), (2, 1), (5, 2)]
    for place in places:
        values = []
        for sign in (1, -1):
            moved = value.copy()
            moved[place] += sign * step
            values.append(float(method(source, target._replace(**{which: moved}))))
        expected = scale * (values[0] - values[1]) / (2 * step)
        np.testing.assert_allclose(gradient[place], expected, rtol=0.05, atol=2e-4)


def classifier(norm=True):
    """Builds a classifier of 8 x 8 images: convolution, optional BatchNormalization, head of three classes."""
    keras.utils.set_random_seed(0)
    inputs = layers.Input((8, 8, 3), name="preprocessing.image")
    x = layers.Conv2D(6, 3, name="block1.conv")(inputs)
    if norm:
        x = layers.BatchNormalization(name="block1.norm")(x)
    x = layers.ReLU(name="block1.relu")(x)
    x = layers.GlobalAveragePooling2D(name="head.pool")(x)
    x = layers.Dropout(0.5, name="head.dropout")(x)
    x = layers.Dense(NUM_CLASSES, name="head.logits")(x)
    return keras.Model(inputs, layers.Activation("softmax", dtype="float32", name="head.probabilities")(x))


def images(count, seed, shift=0.0):
    """Draws images, float32 (count, 8, 8, 3)."""
    return np.random.default_rng(seed).normal(shift, 1, (count, 8, 8, 3)).astype("float32")


def one_hot(count, seed):
    """Draws one-hot labels, float32 (count, 3)."""
    return np.eye(NUM_CLASSES, dtype="float32")[np.random.default_rng(seed).integers(0, NUM_CLASSES, count)]
