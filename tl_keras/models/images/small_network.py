"""Small residual network for training from scratch on few images, where a large one would need hours."""

import keras
from keras import layers

from tl_keras.models.head_options import DEFAULT_DROPOUT

WIDTHS = (16, 32, 64, 128)
MOMENTUM = 0.9
"""Momentum of batch normalization, whose statistics must settle within a few hundred steps."""


def build_small_network(num_classes, image_size):
    """Builds a residual network of 0.25 million weights with random values.

    Args:
        num_classes: number of classes.
        image_size: side of the images in pixels.

    Returns:
        `keras.Model` from images (batch, height, width, 3), RGB, 0 to 255, to probabilities (batch, num_classes).
    """
    inputs = keras.Input((image_size, image_size, 3))
    outputs = layers.Rescaling(1 / 127.5, -1.0)(inputs)
    for width in WIDTHS:
        outputs = _convolve(outputs, width, strides=2)
        outputs = layers.Add()([outputs, _convolve(outputs, width)])
    outputs = layers.Dropout(DEFAULT_DROPOUT)(layers.GlobalAveragePooling2D()(outputs))
    return keras.Model(inputs, layers.Dense(num_classes, activation="softmax", dtype="float32")(outputs))


def _convolve(inputs, width, strides=1):
    outputs = layers.Conv2D(width, 3, strides, padding="same", use_bias=False)(inputs)
    return layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(outputs))
