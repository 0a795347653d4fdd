"""Models of a few parameters, and data for them."""

import keras
import numpy as np
from keras import layers

IMAGES = np.random.default_rng(0).normal(size=(16, 6, 6, 1)).astype("float32")
LABELS = (IMAGES.mean((1, 2, 3)) > 0).astype("int32")


def blocks_model(seed=0):
    """Builds a model with two blocks and a head, named as in our own models."""
    keras.utils.set_random_seed(seed)
    x = inputs = layers.Input((6, 6, 1))
    for block in ("block1", "block2"):
        x = layers.Conv2D(4, 3, use_bias=False, name=f"{block}.conv")(x)
        x = layers.BatchNormalization(name=f"{block}.norm")(x)
        x = layers.ReLU(name=f"{block}.relu")(x)
    x = layers.GlobalAveragePooling2D(name="head.pool")(x)
    return keras.Model(inputs, layers.Dense(2, name="head.logits")(x))


def nested_model(seed=0):
    """Builds a model with a nested backbone, where each layer is a block."""
    keras.utils.set_random_seed(seed)
    inputs = layers.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    backbone = keras.Model(inputs, layers.BatchNormalization(name="norm")(x), name="backbone")
    x = layers.GlobalAveragePooling2D()(backbone(outer := layers.Input((6, 6, 1))))
    return keras.Model(outer, layers.Dense(2, name="logits")(x))


def sequential_model(seed=0):
    """Builds a user's Sequential model with a layer that has no trainable weights, and with batch normalization."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Flatten(),
            layers.Normalization(name="standardize"),
            layers.Dense(8, activation="tanh", name="features"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(2, name="logits"),
        ]
    )


def compiled(model, optimizer, **options):
    """Compiles a model for `LABELS` and returns it."""
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), **options)
    return model


def values(variables):
    """Copies the values of variables to a list of arrays."""
    return [np.array(variable.numpy()) for variable in variables]


def same_bits(first, second):
    """Compares two arrays byte by byte, including NaN and negative zero."""
    return first.dtype == second.dtype and first.tobytes() == second.tobytes()
