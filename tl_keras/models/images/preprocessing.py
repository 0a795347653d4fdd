"""Preprocessing of pixels as plain Keras layers in front of a network."""

import keras


def preprocess(images, preprocessing):
    """Adds the preprocessing layers behind a symbolic input.

    Args:
        images: Keras tensor, float32 (batch, height, width, 3), RGB, 0 to 255.
        preprocessing: the `Preprocessing` of the weights.

    Returns:
        Keras tensor, float32 (batch, height, width, 3), the input of the network. It is float32 under every precision
        policy, so that pixels are rounded only once, by the network's first layer.
    """
    if preprocessing.flips_channels:
        images = keras.ops.flip(images, axis=-1)
    variance = [deviation**2 for deviation in preprocessing.deviation]
    return keras.layers.Normalization(mean=list(preprocessing.mean), variance=variance, dtype="float32")(images)
