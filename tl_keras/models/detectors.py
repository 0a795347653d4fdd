"""Object detectors by name: a backbone with its preprocessing in front and a detector behind, as one Keras model."""

from tl_keras.errors import InputError, unknown_name
from tl_keras.models.building import build_backbone
from tl_keras.models.detection import build_d_fine, build_faster_rcnn, build_retina_net, build_yolo_v8
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.saving import open_model
from tl_keras.models.weights import load_weights

BOX_FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)
"""Those of `keras.utils.bounding_boxes.convert_format`."""
IMAGE_SIZE = 640
"""Where none is given."""


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
    """Builds an object detector that takes raw pixels.

    Args:
        name: "faster_rcnn", "retinanet" or "yolo_v8".
        num_classes: number of classes, at least 1, without the background.
        backbone: a key of `BACKBONES` that has maps of strides 4 to 32, or `keras_hub:PRESET`; of "yolo_v8" a size,
            "yolo_v8_xs" to "yolo_v8_xl". None: "efficientnet_lite0" or "yolo_v8_s".
        bounding_box_format: of the boxes in targets and detections: "xyxy", "yxyx", "xywh", "center_xywh",
            "center_yxhw", in pixels, or "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh", 0 to 1.
        image_size: height and width of the images in pixels, a multiple of the detector's stride. None: 640.
        weights: "imagenet" for the backbone's, of "yolo_v8" "coco"; None or "none" for random ones; or the path of a
            local file or folder (see `load_weights`).
        settings: `FasterRCNNSettings`, `RetinaNetSettings` or `YoloV8Settings`; None for their defaults.
        class_names: sequence of `num_classes` names; kept as `model.class_names`, and by `save_model` in the file.
        weights_sha256: hexadecimal digest that a weights file must have; None checks nothing.

    Returns:
        `Detector`. In: float32 (batch, image_size, image_size, 3), RGB, 0 to 255. `compile` it with an optimizer, `fit`
        it on padded boxes, `detect` with it. Its layers are named `BLOCK.LAYER`; the last blocks are `neck` (where
        there is one), `proposals` (of Faster R-CNN) and `head`.

    Raises:
        InputError: an argument is out of its range or unknown, or the weights cannot be used.
    """
    if name not in FAMILIES:
        raise unknown_name("detection.detector", name, FAMILIES)
    _check(num_classes, bounding_box_format, class_names)
    family = FAMILIES[name]
    weights = None if weights == "none" else weights
    from_file = weights not in ("imagenet", "coco", None)
    if weights_sha256 and not from_file:
        raise InputError(
            f"A SHA-256 was given for the weights {weights!r}, which are no file: give --model.weights PATH."
        )
    model = _build(
        name,
        backbone or family.backbone,
        num_classes,
        family.settings() if settings is None else settings,
        image_size=image_size or IMAGE_SIZE,
        weights=None if from_file else weights,
        bounding_box_format=bounding_box_format,
    )
    model.class_names = tuple(class_names) if class_names is not None else None
    model.weights_report = load_weights(model, weights, sha256=weights_sha256) if from_file else None
    return model


def open_detector(path):
    """Opens the `inference_model` of a detector that `save_model` wrote.

    It holds layers of ours, so that plain Keras does not open it; what needs neither Keras nor this project is
    `detector.inference_model().export(folder)`, for `tf.saved_model.load(folder).serve(images)`.

    Args:
        path: the `.keras` file.

    Returns:
        Uncompiled `keras.Model` from images to padded detections, see `Detector.decode`; code inside the file is
        refused.
    """
    # Keras knows the layers in the file only because this module has imported, and so registered, them.
    return open_model(path)


def _build(name, backbone, num_classes, settings, *, image_size, weights, bounding_box_format):
    if name == "yolo_v8":
        return build_yolo_v8(
            backbone,
            num_classes,
            image_size,
            settings.decoding,
            weights=weights,
            bounding_box_format=bounding_box_format,
        )
    build = build_faster_rcnn if name == "faster_rcnn" else build_retina_net
    network = build_backbone(backbone, weights=weights, image_size=image_size)
    return build(network, num_classes, settings, bounding_box_format=bounding_box_format)


def _check(num_classes, bounding_box_format, class_names):
    if num_classes < 1:
        raise InputError(f"num_classes is {num_classes}, expected at least 1: give data with boxes of a class.")
    if bounding_box_format not in BOX_FORMATS:
        raise unknown_name("bounding_box_format", bounding_box_format, BOX_FORMATS)
    if class_names is not None and len(class_names) != num_classes:
        raise InputError(f"{len(class_names)} class names for {num_classes} classes: give one name per class.")
