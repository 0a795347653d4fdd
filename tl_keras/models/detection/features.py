"""Finds the feature maps of a backbone that a detector looks at."""

import math

import keras
import numpy as np
from keras import ops

from tl_keras.errors import InputError
from tl_keras.models.blocks import block_of


def feature_maps(backbone):
    """Finds the last feature map of each stride.

    A map is what one of the backbone's blocks ends with; of a block that ends with pooling, as in VGG16, what it pools
    (conv5_3 at stride 16, as in Ren et al. 2015). The output counts even where it is pooled.

    Args:
        backbone: flat functional `keras.Model` of square images with layers named `BLOCK.LAYER`, of `build_backbone`.

    Returns:
        Dictionary from stride, ascending, to Keras tensor (batch, image_size / stride, image_size / stride, channels).
        Maps of other sizes, as layers without padding give, are left out.
    """
    size = backbone.input.shape[1]
    ends = {block_of(layer): layer for layer in backbone.layers if block_of(layer) != "preprocessing"}
    tensors = [backbone.output]
    tensors += [end.input if isinstance(end, keras.layers.MaxPooling2D) else end.output for end in ends.values()]
    fitting = [tensor for tensor in tensors if len(tensor.shape) == 4 and size % tensor.shape[1] == 0]
    maps = {size // tensor.shape[1]: tensor for tensor in fitting}
    return dict(sorted(maps.items()))


def require_maps(backbone, strides):
    """Finds the feature maps of the given strides.

    Args:
        backbone: as for `feature_maps`.
        strides: list of ints.

    Returns:
        List of Keras tensors.

    Raises:
        InputError: the image size is not divisible by the largest stride, or the backbone has no such map.
    """
    size = backbone.input.shape[1]
    if size % strides[-1]:
        nearest = max(round(size / strides[-1]), 1) * strides[-1]
        raise InputError(
            f"The image size is {size}, expected a multiple of {strides[-1]}, the detector's stride: give {nearest}."
        )
    maps = feature_maps(backbone)
    missing = [stride for stride in strides if stride not in maps]
    if missing:
        raise InputError(
            f"The backbone {backbone.name} has no feature map of stride {missing[0]} at image size {size}, only of "
            f"{', '.join(map(str, maps)) or 'none'}: take another one, such as resnet50 or efficientnet_lite0."
        )
    return [maps[stride] for stride in strides]


def bundle_maps(maps):
    """Passes maps through one tensor, so that what lies behind them can be trained on its stored values alone.

    The activation cache cuts a network where a single tensor holds all that the rest needs; behind the maps of a
    backbone there is no such place of itself.

    Args:
        maps: list of Keras tensors (batch, height, width, channels) of one type.

    Returns:
        List of the same maps.
    """
    if len(maps) == 1:
        return maps
    sizes = [math.prod(part.shape[1:]) for part in maps]
    bundle = ops.concatenate([ops.reshape(part, (-1, size)) for part, size in zip(maps, sizes, strict=True)], axis=1)
    parts = ops.split(bundle, np.cumsum(sizes)[:-1].tolist(), axis=1)
    return [ops.reshape(part, (-1, *whole.shape[1:])) for part, whole in zip(parts, maps, strict=True)]
