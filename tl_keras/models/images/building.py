"""Image backbones, built from an entry of `BACKBONES` or from a KerasHub preset."""

import json
import pkgutil

import keras

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.blocks import blocks_of, copy_with_block_names, creation_names
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.models.images.hub_folders import with_hub_prefix
from tl_keras.models.images.hub_presets import open_preset
from tl_keras.models.images.preprocessing import preprocess
from tl_keras.models.saved.allow_list import check_classes

DOWNLOAD_ERRORS = ("URL fetch failure", "Incomplete or corrupted file detected")


def build_backbone(name, *, weights="imagenet", image_size=None):
    """Builds a network from raw pixels to features whose layers are named `BLOCK.LAYER`.

    Args:
        name: a key of `BACKBONES`, or the name of a preset of any KerasHub image backbone with `keras_hub:` before it,
            or its folder with or without that.
        weights: "imagenet" (for a KerasHub preset: those of the preset), or None for random weights.
        image_size: height and width of the images in pixels; None takes that of the weights.

    Returns:
        Flat functional `keras.Model`. In: float32 (batch, image_size, image_size, 3), RGB, 0 to 255; the first block is
        `preprocessing`. Out: the features, (batch, height, width, channels), or (batch, tokens, channels) of some
        KerasHub transformers.

    Raises:
        InputError: unknown name or folder, unsupported image size, weights that cannot be downloaded, or a network of
            layers that a saved model cannot contain.
    """
    name = with_hub_prefix(name)
    is_hub = name.startswith(HUB_PREFIX)
    if is_hub:
        opened = open_preset(name.removeprefix(HUB_PREFIX), weights=weights, image_size=image_size)
    else:
        opened = _open_entry(name, weights=weights, image_size=image_size)
    network, blocks, preprocessing, size = opened
    model = add_preprocessing(network, blocks, preprocessing, size, name=short_name(name))
    if is_hub:
        _check_reopening(model, name)
    return model


def _check_reopening(model, name):
    """Refuses a network whose saved model `open_model` would refuse, before it is trained."""
    try:
        check_classes(json.loads(model.to_json()))
    except InputError as error:
        reason = str(error).partition(", which")[0]
        raise InputError(
            f"{name} cannot be trained, because its saved model could not be opened again ({reason}): take another "
            "backbone, such as keras_hub:resnet_50_imagenet."
        ) from error


def add_preprocessing(network, blocks, preprocessing, size, *, name):
    """Copies a network and its weights so that it accepts raw pixels and its layers are named `BLOCK.LAYER`.

    Args:
        network: functional `keras.Model` with one input, built.
        blocks: dictionary from layer name to block name, from `blocks_of`.
        preprocessing: the `Preprocessing` of its weights.
        size: height and width of the images in pixels.
        name: name of the new model.

    Returns:
        Flat functional `keras.Model`.
    """
    image = keras.Input((size, size, 3), name="preprocessing.image")
    front = keras.Model(image, preprocess(image, preprocessing), name="preprocessing")
    return copy_with_block_names(network, blocks, front, name=name)


def short_name(name):
    """Returns the last part of a backbone's name, for a preset folder the folder's own name."""
    return name.removeprefix(HUB_PREFIX).rstrip("/").rpartition("/")[2]


def _open_entry(name, *, weights, image_size):
    if name not in BACKBONES:
        raise unknown_name("model.backbone", name, [*BACKBONES, f"{HUB_PREFIX}PRESET"])
    backbone = BACKBONES[name]
    size = backbone.image_size if image_size is None else image_size
    if size < backbone.minimum_size:
        raise InputError(
            f"The image size {size} is too small for {name}: give at least {backbone.minimum_size}, "
            f"or leave it out for {backbone.image_size}."
        )
    try:
        constructor = pkgutil.resolve_name(backbone.constructor)
        network = constructor(weights=weights, input_shape=(size, size, 3), **backbone.options)
    except Exception as error:
        # keras.utils.get_file raises a plain Exception when a host fails; only its text identifies it.
        if not isinstance(error, OSError) and not str(error).startswith(DOWNLOAD_ERRORS):
            raise
        raise InputError(
            f"The ImageNet weights of {name} could not be downloaded ({error}): give a local file with "
            "--model.weights PATH, or take --model.backbone efficientnet_lite0, whose weights come with pip, "
            "or train from random weights with --model.weights none."
        ) from error
    named = creation_names(network)
    ends = [(block, named[last].output) for block, last in backbone.blocks]
    return network, blocks_of(network, ends), backbone.preprocessing, size
