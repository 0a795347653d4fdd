"""KerasHub image backbones, from a named preset or a local preset folder."""

import importlib
import itertools
import os
import re

import keras

from tl_keras.errors import InputError
from tl_keras.models.blocks import blocks_of, is_automatic
from tl_keras.models.images.backbones import UNIT, Preprocessing
from tl_keras.models.images.hub_folders import check_hub_folder, is_without_converter
from tl_keras.models.saved.preset_files import check_preset, hub_errors

DEFAULT_IMAGE_SIZE = 224
OFFLINE = (
    "give the name of one of KerasHub's presets, which needs the network, or the folder of one as --model.backbone "
    "keras_hub:PATH, or take --model.backbone efficientnet_lite0, whose weights come with pip"
)


def open_preset(preset, *, weights, image_size):
    """Opens the network and the image converter of a preset.

    Args:
        preset: name of a preset, or path of a folder made by `save_to_preset`.
        weights: "imagenet" for those of the preset, or None for random weights.
        image_size: height and width in pixels; None takes that of the preset.

    Returns:
        Tuple of the functional network, a dictionary from layer name to block name, the `Preprocessing` and the image
        size.

    Raises:
        InputError: the preset is unknown, cannot be downloaded, is not an image backbone, or has another image size.
    """
    # KerasHub takes three seconds to import, and only presets need it.
    keras_hub = importlib.import_module("keras_hub")
    check_hub_folder(preset, needs_converter=False)
    check_preset(preset)
    with hub_errors(f"KerasHub preset {preset!r}", OFFLINE):
        network = keras_hub.models.Backbone.from_preset(preset, load_weights=weights is not None)
        _check_image_backbone(network, preset)
        check_hub_folder(preset, needs_converter=weights is not None)
        preprocessing, own_size = UNIT, None
        if not is_without_converter(preset):
            converter = keras_hub.layers.ImageConverter.from_preset(preset)
            preprocessing, own_size = preprocessing_of_hub(converter), (converter.image_size or [None])[0]
    fixed_size = network.input.shape[1]
    size = image_size or fixed_size or own_size or DEFAULT_IMAGE_SIZE
    if fixed_size not in (None, size):
        raise InputError(
            f"The image size is {size}, but the KerasHub preset {preset!r} expects images of {fixed_size}: "
            f"give --data.image_size {fixed_size}."
        )
    if not _can_be_copied(network):
        image = keras.Input((size, size, 3))
        network = keras.Model(image, network(image))
    return network, blocks_of_hub(network), preprocessing, size


def _check_image_backbone(network, preset):
    inputs, outputs = network.inputs, network.outputs
    # DINOv2 takes a dictionary with its one image.
    if (
        isinstance(network.input, dict)
        or len(inputs) != 1
        or len(inputs[0].shape) != 4
        or len(outputs) != 1
        or len(outputs[0].shape) not in (3, 4)
    ):
        raise InputError(
            f"The KerasHub preset {preset!r} is a {type(network).__name__}, expected a network from one image to "
            "one feature map: take one such as keras_hub:resnet_50_imagenet."
        )


def preprocessing_of_hub(converter):
    """Converts the scale and the offset of an `ImageConverter` to a `Preprocessing`.

    Args:
        converter: `keras_hub.layers.ImageConverter`, which computes `pixel * scale + offset`.

    Returns:
        `Preprocessing`, which computes `(pixel - mean) / deviation`.
    """
    scales, offsets = _channels(converter.scale, 1.0), _channels(converter.offset, 0.0)
    mean = tuple(-offset / scale for scale, offset in zip(scales, offsets, strict=True))
    return Preprocessing(mean=mean, deviation=tuple(1 / scale for scale in scales))


def _channels(value, default):
    value = default if value is None else value
    return [float(value)] * 3 if isinstance(value, int | float) else [float(channel) for channel in value]


def _can_be_copied(network):
    """Checks whether each layer can be rebuilt from its configuration; some of KerasHub's, such as ViT's, cannot."""
    try:
        for operation in network.operations:
            type(operation).from_config(operation.get_config())
    except TypeError:
        return False
    return True


def blocks_of_hub(network):
    """Assigns the layers of a KerasHub network to blocks.

    Args:
        network: functional network of KerasHub.

    Returns:
        Dictionary from layer name to block name.
    """
    levels = getattr(network, "pyramid_outputs", None)
    if levels:
        return blocks_of(network, [*levels.items(), ("top", network.output)])
    return _blocks_by_prefix(network)


def _blocks_by_prefix(network):
    """Uses the first word and number of a layer's name, without the common prefix, as its block."""
    _image, *operations = network.operations
    named = [operation.name for operation in operations if not is_automatic(operation)]
    shared = os.path.commonprefix(named).rpartition("_")[0]
    blocks, block = {}, "stem" if named else "body"
    for operation in operations:
        if not is_automatic(operation):
            block = re.match(r"[A-Za-z]*(_?\d+)?", operation.name.removeprefix(shared).removeprefix("_"))[0]
        blocks[operation.name] = block
    is_contiguous = len(list(itertools.groupby(blocks.values()))) == len(set(blocks.values()))
    return blocks if is_contiguous else dict.fromkeys(blocks, "body")
