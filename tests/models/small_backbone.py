"""A backbone that is traced in a moment, for tests of what happens around a network."""

import keras
from keras import layers

BLOCKS = ("stem", "block6", "block7", "top")
"""Named as the ends of EfficientNet-Lite0."""


def small_backbone(name, *, weights=None, image_size=None):
    """Builds a convolution of stride 2, a BatchNormalization and an activation for each of `BLOCKS`, 8 to 32 wide.

    Args:
        name: that of the backbone in whose place it stands.
        weights: those that were asked for; they are random in any case.
        image_size: side of the images in pixels.

    Returns:
        Flat functional `keras.Model`, as `build_backbone` makes it.
    """
    inputs = keras.Input((image_size, image_size, 3), name="preprocessing.image")
    outputs = layers.Rescaling(1 / 127.5, -1.0, name="preprocessing.scale")(inputs)
    for number, block in enumerate(BLOCKS, start=1):
        outputs = layers.Conv2D(8 * number, 3, 2, padding="same", use_bias=False, name=f"{block}.conv")(outputs)
        outputs = layers.BatchNormalization(name=f"{block}.bn")(outputs)
        outputs = layers.ReLU(name=f"{block}.relu")(outputs)
    return keras.Model(inputs, outputs, name=name)
