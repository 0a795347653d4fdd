"""Checks of the name of a KerasHub preset and of its folder, before Keras is loaded."""

import os
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.system.json_files import read_json

NETWORK, CONVERTER = "config.json", "image_converter.json"
OTHER_FORMATS = {"model_type", "architecture"}
"""Keys by which KerasHub recognises folders of transformers and timm, which it would convert unchecked."""
ADVICE = (
    "give the folder of one that KerasHub's save_to_preset made as --model.backbone keras_hub:PATH, or take "
    "--model.backbone efficientnet_lite0, whose weights come with pip"
)


def with_hub_prefix(name):
    """Returns the name of a backbone, of a folder with the prefix `keras_hub:`.

    Args:
        name: name of a backbone, or path of a folder made by `save_to_preset`.

    Raises:
        InputError: it is the path of a folder that does not exist.
    """
    if name in BACKBONES or name.startswith(HUB_PREFIX):
        return name
    if os.path.isdir(name):
        return HUB_PREFIX + (name if os.sep in name else os.path.join(os.curdir, name))
    if os.sep in name:
        raise InputError(f"model.backbone: there is no folder {name!r} of a KerasHub preset: {ADVICE}.")
    return name


def check_hub_folder(preset, needs_converter):
    """Checks that the folder of a preset exists, and that it has a network and the scaling of its pixels.

    Args:
        preset: name of a preset, which is not checked, or path of a folder.
        needs_converter: True if its weights are used, which need pixels scaled as in their training.

    Raises:
        InputError: the folder or one of its files is missing, or is of another format.
    """
    folder = Path(preset)
    if not folder.is_dir():
        if os.sep in preset and "://" not in preset:
            raise InputError(f"model.backbone: there is no folder {preset!r} of a KerasHub preset: {ADVICE}.")
        return
    if not (folder / NETWORK).is_file():
        raise InputError(f"model.backbone: the folder {preset!r} has no {NETWORK} of a KerasHub preset: {ADVICE}.")
    settings = read_json(folder / NETWORK, dict, ADVICE)
    if "registered_name" not in settings and OTHER_FORMATS & settings.keys():
        raise InputError(
            f"model.backbone: the {NETWORK} in the folder {preset!r} is not of a KerasHub preset for images: {ADVICE}."
        )
    if needs_converter and is_without_converter(preset):
        raise InputError(
            f"model.backbone: the folder {preset!r} has no {CONVERTER}, so that it is not known how its weights expect "
            "pixels to be scaled: save the ImageConverter of the same preset into it with save_to_preset, or take "
            "--model.weights none."
        )


def is_without_converter(preset):
    """Returns whether a preset is a folder that does not say how pixels are scaled."""
    return Path(preset).is_dir() and not (Path(preset) / CONVERTER).is_file()
