"""Object detectors by name: preprocessing, backbone and detector as one Keras model."""

import numpy as np

from tl_keras.errors import InputError, quoted, unknown_name
from tl_keras.models.detection import (
    build_d_fine,
    build_faster_rcnn,
    build_preset_d_fine,
    build_preset_retina_net,
    build_retina_net,
    build_yolo_v8,
    preset_of,
)
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.detection.settings import RetinaNetSettings
from tl_keras.models.heads import check_class_names
from tl_keras.models.images.building import build_backbone
from tl_keras.models.saved.saving import open_model
from tl_keras.models.weights.files import is_weight_file
from tl_keras.models.weights.loading import load_weights
from tl_keras.system.devices import hide_onednn_note

PIXEL_FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw")
BOX_FORMATS = (*PIXEL_FORMATS, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
"""Formats of `keras.utils.bounding_boxes.convert_format`."""
DEFAULT_IMAGE_SIZE = 640


def build_object_detector(
    name,
    num_classes,
    *,
    backbone=None,
    bounding_box_format="xyxy",
    image_size=None,
    weights="imagenet",
    settings=None,
    class_names=None,
    weights_sha256=None,
):
    """Builds an object detector that accepts raw pixels.

    Args:
        name: "faster_rcnn", "retinanet", "yolo_v8" or "d_fine".
        num_classes: number of classes, at least 1, without the background.
        backbone: a key of `BACKBONES` with feature maps of strides 4 to 32, or `keras_hub:PRESET`; for "yolo_v8" a
            size, "yolo_v8_xs" to "yolo_v8_xl"; for "d_fine" a size, "d_fine_nano" to "d_fine_xlarge". None takes the
            default.
        bounding_box_format: format of the boxes in targets and detections: "xyxy", "yxyx", "xywh", "center_xywh",
            "center_yxhw", in pixels, or "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh", 0 to 1.
        image_size: height and width of the images in pixels, a multiple of the detector's stride; None takes 640.
        weights: "imagenet" for the backbone of "faster_rcnn" and "retinanet"; "coco" for the whole detector of a
            KerasHub preset ("retinanet" and "d_fine"; `backbone` may then also be the `keras_hub:PRESET` of another
            detector) or for KerasCV's backbone of "yolo_v8"; None or "none" for random weights; or the path of a local
            file or folder (see `load_weights`). Classes with a COCO name, such as "traffic light", keep their part of
            the head. A RetinaNet with COCO weights accepts only `decoding` of its settings.
        settings: `FasterRCNNSettings`, `RetinaNetSettings`, `YoloV8Settings` or `DFineSettings`; None takes the
            defaults.
        class_names: sequence of `num_classes` names; stored as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal SHA-256 that a weights file must have; None skips the check.

    Returns:
        `Detector`. In: float32 (batch, image_size, image_size, 3), RGB, 0 to 255. Call `compile` with an optimizer,
        `fit` on padded boxes, and `detect`. Its layers are named `BLOCK.LAYER`; the last blocks are `neck` (if any),
        `proposals` (of Faster R-CNN) and `head`.

    Raises:
        InputError: an argument is out of its range or unknown, or the weights cannot be used.
    """
    if name not in FAMILIES:
        raise unknown_name("detection.detector", name, FAMILIES)
    _check(num_classes, bounding_box_format, class_names)
    family = FAMILIES[name]
    weights = None if weights == "none" else weights
    from_file = is_weight_file(weights, ("imagenet", "coco"), weights_sha256)
    if not from_file and weights not in family.named_weights:
        raise unknown_name(f"model.weights of {name}", weights, [*filter(None, family.named_weights), "none", "PATH"])
    class_names = tuple(class_names) if class_names is not None else None
    backbone = backbone or family.default_backbone(weights)
    image_size = image_size or DEFAULT_IMAGE_SIZE
    hide_onednn_note()
    settings = family.settings() if settings is None else settings
    if weights == "coco" and name != "yolo_v8":
        return _build_on_coco(name, backbone, num_classes, image_size, settings, class_names, bounding_box_format)
    named_weights = None if from_file else weights
    model = _build(name, backbone, num_classes, image_size, settings, named_weights, bounding_box_format)
    model.class_names = class_names
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def open_detector(path):
    """Opens the `inference_model` of a detector saved by `save_model`.

    The file names layers of this project, so plain Keras cannot open it. `export_detector` writes a SavedModel that
    needs neither Keras nor this project.

    Args:
        path: the `.keras` file.

    Returns:
        Uncompiled `keras.Model` from images to padded detections, see `Detector.decode`.

    Raises:
        InputError: the file is damaged or unsafe, see `open_model`, or a weight is NaN.
    """
    hide_onednn_note()
    # Keras finds the layers of the file because importing this module registers them.
    model = open_model(path)
    # Proposals that are NaN would be left out like those without an area.
    if broken := next((weight.path for weight in model.weights if np.isnan(np.asarray(weight)).any()), None):
        raise InputError(
            f"The weight {quoted(broken)} of {str(path)!r} holds NaN: the file is damaged, or its training diverged."
        )
    return model


def _build(name, backbone, num_classes, image_size, settings, weights, bounding_box_format):
    options = {"bounding_box_format": bounding_box_format}
    if name == "yolo_v8":
        return build_yolo_v8(backbone, num_classes, image_size, settings.decoding, weights=weights, **options)
    if name == "d_fine":
        return build_d_fine(backbone, num_classes, image_size, settings, **options)
    build = build_faster_rcnn if name == "faster_rcnn" else build_retina_net
    network = build_backbone(backbone, weights=weights, image_size=image_size)
    return build(network, num_classes, settings, **options)


def _build_on_coco(name, backbone, num_classes, image_size, settings, class_names, bounding_box_format):
    """Builds a detector with all its weights from a KerasHub preset."""
    preset = preset_of(name, backbone)
    if name == "retinanet" and settings != RetinaNetSettings(decoding=settings.decoding):
        raise InputError(
            "Settings were given for a RetinaNet with COCO weights, whose architecture is that of the preset: give "
            "only decoding, or --model.weights imagenet."
        )
    build = build_preset_d_fine if name == "d_fine" else build_preset_retina_net
    options = {"class_names": class_names, "bounding_box_format": bounding_box_format}
    return build(preset, num_classes, image_size, settings, **options)


def _check(num_classes, bounding_box_format, class_names):
    if num_classes < 1:
        raise InputError(f"num_classes is {num_classes}, expected at least 1: give data with boxes of a class.")
    if bounding_box_format not in BOX_FORMATS:
        raise unknown_name("bounding_box_format", bounding_box_format, BOX_FORMATS)
    check_class_names(class_names, num_classes)
