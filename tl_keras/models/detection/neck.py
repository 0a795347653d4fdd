"""Feature pyramid: maps of several strides that all include the features of the coarsest map. Block `neck`."""

import keras


def add_feature_pyramid(maps, channels):
    """Adds a feature pyramid behind a backbone.

    Lin et al. 2017 (https://arxiv.org/abs/1612.03144, section 3): lateral 1 x 1 convolutions, the coarser level
    upsampled (nearest neighbour) and added, then a 3 x 3 convolution per level.

    Args:
        maps: list of Keras tensors (batch, size, size, any), each half the size of the one before, finest first.
        channels: width of the pyramid.

    Returns:
        List of Keras tensors (batch, size, size, channels), in the same order.
    """
    merged = None
    levels = []
    for number, features in reversed(list(enumerate(maps))):
        lateral = _convolution(channels, 1, f"neck.lateral{number}")(features)
        if merged is not None:
            enlarged = keras.layers.UpSampling2D(name=f"neck.enlarge{number}")(merged)
            lateral = keras.layers.Add(name=f"neck.add{number}")([lateral, enlarged])
        merged = lateral
        levels.insert(0, _convolution(channels, 3, f"neck.output{number}")(merged))
    return levels


def add_pooled_level(levels):
    """Adds a level of every second cell of the coarsest level (Lin et al. 2017, section 4.1, footnote 2).

    Args:
        levels: list of Keras tensors (batch, size, size, channels), finest first.

    Returns:
        List with one more Keras tensor (batch, size / 2, size / 2, channels), sizes rounded up.
    """
    return [*levels, keras.layers.MaxPooling2D(1, 2, name="neck.pool")(levels[-1])]


def add_convolved_levels(levels, source, channels):
    """Adds two coarser levels by convolutions of stride 2.

    Lin et al. 2017 (https://arxiv.org/abs/1708.02002, section 4).

    Args:
        levels: list of Keras tensors (batch, size, size, channels), finest first.
        source: Keras tensor, the input of the first convolution.
        channels: width of the pyramid.

    Returns:
        List with two more Keras tensors.
    """
    sixth = _convolution(channels, 3, "neck.level6", strides=2)(source)
    active = keras.layers.ReLU(name="neck.relu6")(sixth)
    return [*levels, sixth, _convolution(channels, 3, "neck.level7", strides=2)(active)]


def _convolution(channels, size, name, strides=1):
    # Caffe2's Xavier filler, as in detectron2's pyramid: uniform with variance 1 / fan-in.
    initializer = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")
    return keras.layers.Conv2D(channels, size, strides, padding="same", kernel_initializer=initializer, name=name)
