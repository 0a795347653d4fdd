"""Feature maps of a backbone for a detector."""

import math

import keras
import numpy as np
from keras import ops

from tl_keras.errors import InputError
from tl_keras.models.blocks import block_of


def feature_maps(backbone):
    """Finds the last feature map of each stride.

    A map is the output of a block, or, if the block ends with pooling as in VGG16, the input of the pooling (conv5_3 at
    stride 16, as in Ren et al. 2015). The output of the backbone counts as a map even if it is pooled.

    Args:
        backbone: flat functional `keras.Model` of square images with layers named `BLOCK.LAYER`, from `build_backbone`.

    Returns:
        Dictionary from stride, ascending, to Keras tensor (batch, image_size / stride, image_size / stride, channels).
        Maps whose size does not divide the image size, e.g. behind layers without padding, are ignored.
    """
    size = backbone.input.shape[1]
    ends = {block_of(layer): layer for layer in backbone.layers if block_of(layer) != "preprocessing"}
    tensors = [backbone.output]
    tensors += [end.input if isinstance(end, keras.layers.MaxPooling2D) else end.output for end in ends.values()]
    fitting = [tensor for tensor in tensors if len(tensor.shape) == 4 and size % tensor.shape[1] == 0]
    maps = {size // tensor.shape[1]: tensor for tensor in fitting}
    return dict(sorted(maps.items()))


def check_image_size(size, stride):
    """Checks that an image consists of whole cells of a detector's coarsest map.

    Args:
        size: height and width of the image in pixels.
        stride: pixels per cell.

    Raises:
        InputError: the size is not a positive multiple of the stride.
    """
    if size % stride or size < 1:
        nearest = max(round(size / stride), 1) * stride
        raise InputError(
            f"The image size is {size}, expected a multiple of {stride}, the detector's stride: give {nearest}."
        )


def require_maps(backbone, strides):
    """Finds the feature maps of required strides.

    Args:
        backbone: as for `feature_maps`.
        strides: list of ints, ascending.

    Returns:
        List of Keras tensors.

    Raises:
        InputError: the image size is not a multiple of the largest stride, or a map is missing.
    """
    size = backbone.input.shape[1]
    check_image_size(size, strides[-1])
    maps = feature_maps(backbone)
    missing = [stride for stride in strides if stride not in maps]
    if missing:
        raise InputError(
            f"The backbone {backbone.name} has no feature map of stride {missing[0]} at image size {size}, only of "
            f"{', '.join(map(str, maps)) or 'none'}: take another one, such as resnet50 or efficientnet_lite0."
        )
    return [maps[stride] for stride in strides]


def bundle_maps(maps):
    """Passes maps through a single tensor, so that the rest can be trained on its cached activations.

        The activation cache cuts a network at a single tensor that all later layers depend on; the separate maps of a
    backbone lack one.

    Args:
        maps: list of Keras tensors (batch, height, width, channels) of one dtype.

    Returns:
        List of Keras tensors equal to `maps`.
    """
    if len(maps) == 1:
        return maps
    sizes = [math.prod(part.shape[1:]) for part in maps]
    bundle = ops.concatenate([ops.reshape(part, (-1, size)) for part, size in zip(maps, sizes, strict=True)], axis=1)
    parts = ops.split(bundle, np.cumsum(sizes)[:-1].tolist(), axis=1)
    return [ops.reshape(part, (-1, *whole.shape[1:])) for part, whole in zip(parts, maps, strict=True)]
