"""Opens the detectors that KerasHub ships: presets that learned COCO, from the hub or from a folder."""

import importlib

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.models.images.hub_presets import hub_errors, preprocessing_of_hub
from tl_keras.models.saved.preset_files import check_preset

OFFLINE = (
    "KerasHub fetches its presets over the network; without it give the folder of one as --model.backbone "
    "keras_hub:PATH, a local file with --model.weights PATH, or take other weights, such as --model.weights none"
)
PRESETS = {
    "retinanet": {"resnet50": "retinanet_resnet50_fpn_coco"},
    "d_fine": {
        "d_fine_nano": "dfine_nano_coco",
        "d_fine_small": "dfine_small_coco",
        "d_fine_medium": "dfine_medium_coco",
        "d_fine_large": "dfine_large_coco",
        "d_fine_xlarge": "dfine_xlarge_coco",
    },
}
"""By detector and backbone."""
UNUSED = {0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
"""Ids up to 90 that no box of COCO has."""


def open_hub_detector(preset, kind):
    """Opens a preset.

    Args:
        preset: name of one of KerasHub's presets, or path of a folder made by `save_to_preset`.
        kind: name of the class in `keras_hub.models` that it must be of.

    Returns:
        Tuple of the KerasHub model, weights included, and the `Preprocessing` that it expects.

    Raises:
        InputError: the preset is unknown, cannot be fetched, or is of another kind.
    """
    keras_hub = importlib.import_module("keras_hub")
    expected = getattr(keras_hub.models, kind)
    check_preset(preset)
    with hub_errors(preset, OFFLINE):
        model = expected.from_preset(preset)
        converter = keras_hub.layers.ImageConverter.from_preset(preset)
    if not isinstance(model, expected):
        raise InputError(f"The KerasHub preset {preset!r} is a {type(model).__name__}, expected a {kind}: {OFFLINE}.")
    return model, preprocessing_of_hub(converter)


def preset_of(name, backbone):
    """Finds the preset that a user means.

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
        raise unknown_name(f"model.backbone of {name} with COCO's weights", backbone, [*presets, f"{HUB_PREFIX}PRESET"])
    return presets[backbone]


def coco_class_names(number):
    """Lists the classes of COCO in the order in which a detector of so many classes has them.

    Args:
        number: 80 for the classes one after the other, as in D-FINE; 91 for the ids of COCO, from 0, as in torchvision.

    Returns:
        Tuple of names such as "traffic light", None for ids that COCO does not use; or None for another number.
    """
    name_of = importlib.import_module("keras_hub").utils.coco_id_to_name
    names = [None if place in UNUSED else name_of(place).replace("_", " ") for place in range(91)]
    return {80: tuple(filter(None, names)), 91: tuple(names)}.get(number)
