"""Backbone that is traced quickly, for tests of code around a network."""

import keras
from keras import layers

BLOCKS = ("stem", "block6", "block7", "top")
"""Names of the first and the last blocks of EfficientNet-Lite0."""


def small_backbone(name, *, weights=None, image_size=None):
    """Builds a backbone of a convolution of stride 2, a BatchNormalization and an activation per block.

    Args:
        name: name of the backbone that it replaces.
        weights: ignored; the weights are always random.
        image_size: side of the images in pixels.

    Returns:
        Flat functional `keras.Model`, like that of `build_backbone`.
    """
    inputs = keras.Input((image_size, image_size, 3), name="preprocessing.image")
    outputs = layers.Rescaling(1 / 127.5, -1.0, name="preprocessing.scale")(inputs)
    for number, block in enumerate(BLOCKS, start=1):
        outputs = layers.Conv2D(8 * number, 3, 2, padding="same", use_bias=False, name=f"{block}.conv")(outputs)
        outputs = layers.BatchNormalization(name=f"{block}.bn")(outputs)
        outputs = layers.ReLU(name=f"{block}.relu")(outputs)
    return keras.Model(inputs, outputs, name=name)
