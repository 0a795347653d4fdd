"""Detectors of KerasHub trained on COCO, from a named preset or a preset folder."""

import importlib

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.models.images.hub_folders import check_hub_folder
from tl_keras.models.images.hub_presets import preprocessing_of_hub
from tl_keras.models.saved.preset_files import check_preset, hub_errors

OFFLINE = (
    "KerasHub downloads its presets; without network access give the folder of one as --model.backbone "
    "keras_hub:PATH, a local file with --model.weights PATH, or take other weights, such as --model.weights none"
)
PRESETS = {
    "retinanet": {"resnet50": "retinanet_resnet50_fpn_coco"},
    "d_fine": {f"d_fine_{size}": f"dfine_{size}_coco" for size in ("nano", "small", "medium", "large", "xlarge")},
}
"""Names of the presets by detector and backbone."""
UNUSED_IDS = {0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Class ids below 91 that COCO does not use."""


def open_hub_detector(preset, kind):
    """Opens a preset of a detector.

    Args:
        preset: name of one of KerasHub's presets, or path of a folder made by `save_to_preset`.
        kind: name of its expected class in `keras_hub.models`.

    Returns:
        Tuple of the KerasHub model with its weights, and its `Preprocessing`.

    Raises:
        InputError: the preset is unknown, cannot be downloaded, or has another class.
    """
    keras_hub = importlib.import_module("keras_hub")
    expected = getattr(keras_hub.models, kind)
    check_hub_folder(preset, needs_converter=False)
    check_preset(preset)
    with hub_errors(f"KerasHub preset {preset!r}", OFFLINE):
        model = expected.from_preset(preset)
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    if not isinstance(model, expected):
        raise InputError(f"The KerasHub preset {preset!r} is a {type(model).__name__}, expected a {kind}: {OFFLINE}.")
    return model, preprocessing_of_hub(converter)


def preset_of(name, backbone):
    """Finds the preset for a backbone name.

    Args:
        name: "retinanet" or "d_fine".
        backbone: `keras_hub:PRESET`, "resnet50", or a size of D-FINE such as "d_fine_small".

    Returns:
        Name or folder of the preset.

    Raises:
        InputError: no preset has this backbone.
    """
    if backbone.startswith(HUB_PREFIX):
        return backbone.removeprefix(HUB_PREFIX)
    presets = PRESETS[name]
    if backbone not in presets:
        raise unknown_name(f"model.backbone of {name} with COCO weights", backbone, [*presets, f"{HUB_PREFIX}PRESET"])
    return presets[backbone]


def coco_class_names(number):
    """Lists the class names of COCO in the order of a detector with `number` classes.

    Args:
        number: 80 for consecutive classes, as in D-FINE; 91 for the ids of COCO from 0, as in torchvision.

    Returns:
        Tuple of names such as "traffic light", with None for unused ids; or None for any other number.
    """
    name_of = importlib.import_module("keras_hub").utils.coco_id_to_name
    names = [None if place in UNUSED_IDS else name_of(place).replace("_", " ") for place in range(91)]
    return {80: tuple(filter(None, names)), 91: tuple(names)}.get(number)
