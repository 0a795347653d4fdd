"""YOLOv8 on the network and the assignment of KerasCV, which is unmaintained: only this module imports it."""

import importlib
import math

import keras
from keras import ops

from tl_keras.errors import InputError, first_line, unknown_name
from tl_keras.models.blocks import blocks_of
from tl_keras.models.detection.box_decoders import Decoder
from tl_keras.models.detection.detector import Detector
from tl_keras.models.detection.features import bundle_maps, check_image_size
from tl_keras.models.images.backbones import UNIT
from tl_keras.models.images.building import add_preprocessing

SIZES = {
    # name: (channels of each stack, depth of each stack, depth of the neck), those of KerasCV 0.9's presets
    "yolo_v8_xs": ((32, 64, 128, 256), (1, 2, 2, 1), 1),
    "yolo_v8_s": ((64, 128, 256, 512), (1, 2, 2, 1), 1),
    "yolo_v8_m": ((96, 192, 384, 576), (2, 4, 4, 2), 2),
    "yolo_v8_l": ((128, 256, 512, 512), (3, 6, 6, 3), 3),
    "yolo_v8_xl": ((160, 320, 640, 640), (3, 6, 6, 3), 3),
}
STRIDES = (8, 16, 32)
BOX_WEIGHT, CLASS_WEIGHT = 7.5, 0.5
PRIOR = 0.01
"""Initial probability of every class; with KerasCV's 0.5 the background dominates the first steps."""


class YoloV8(Detector):
    """YOLOv8 as one functional model, built by `build_yolo_v8`.

    Its losses are KerasCV's: 1 - CIoU of the boxes and cross-entropy of the classes against the task-aligned scores of
    Feng et al. 2021 (https://arxiv.org/abs/2108.07755), summed over anchors and classes and divided by the sum of these
    scores in the batch, at least 1. There is no distribution focal loss.

    Args:
        inputs: Keras tensor, the input of the model.
        outputs: dictionary of Keras tensors: `boxes` (batch, cells, 64), the distributions of the four distances, and
            `classes` (batch, cells, num_classes), probabilities.
        decoder: `CellDecoder`.
        num_classes: number of classes.
        name: name of the model.
    """

    decoder_inputs = ("boxes", "classes")
    loss_names = ("class_loss", "box_loss")
    class_layers = tuple(f"head.head_{level}_class_3_conv" for level in (1, 2, 3))

    def __init__(self, inputs, outputs, *, decoder, num_classes, name):
        super().__init__(inputs, outputs, decoder=decoder, num_classes=num_classes, name=name)
        keras_cv = importlib.import_module("keras_cv")
        self._assign = keras_cv.models.yolov8.LabelEncoder(num_classes=num_classes).assign
        self._distance = keras_cv.losses.CIoULoss(bounding_box_format="xyxy", reduction="none").call

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image, see `Detector`."""
        predicted, scores = self.decoder.boxes_and_scores(outputs["boxes"], outputs["classes"])
        centres, strides = self.decoder.cells()
        is_box = labels[..., None] >= 0
        boxes = ops.where(is_box, boxes, -1.0)
        targets, target_scores, _ = self._assign(
            ops.stop_gradient(scores), ops.stop_gradient(predicted), centres, labels, boxes, is_box
        )
        weights = ops.sum(target_scores, axis=-1)
        distance = self._distance(targets / strides, predicted / strides) * weights
        entropy = ops.binary_crossentropy(target_scores, scores)
        # The factor batch size cancels the detector's mean over images.
        factor = ops.cast(ops.shape(labels)[0], "float32") / ops.maximum(ops.sum(target_scores), 1.0)
        return {
            "class_loss": CLASS_WEIGHT * factor * ops.sum(entropy, axis=(1, 2)),
            "box_loss": BOX_WEIGHT * factor * ops.sum(distance, axis=1),
        }


@keras.saving.register_keras_serializable("tl_keras")
class CellDecoder(Decoder):
    """Decodes cells that predict the distances to the four sides of a box.

    Call arguments:
        distances: float32 (batch, cells, 64), for each of four sides the logits of 0 to 15 strides.
        scores: float32 (batch, cells, num_classes), 0 to 1.
    """

    def boxes_and_scores(self, distances, scores):
        """Returns float32 (batch, cells, 4), xyxy in pixels, and the scores."""
        centres, strides = self.cells()
        bins = ops.softmax(ops.reshape(distances, (-1, distances.shape[1], 4, distances.shape[2] // 4)), axis=-1)
        sides = ops.sum(bins * ops.arange(bins.shape[-1], dtype="float32"), axis=-1) * strides
        return ops.concatenate([centres - sides[..., :2], centres + sides[..., 2:]], axis=-1), scores

    def cells(self):
        """Returns float32 (cells, 2), the centre of each cell in pixels, and (cells, 1), its stride."""
        centres, strides = [], []
        for stride in STRIDES:
            at = (ops.arange(self.image_size // stride, dtype="float32") + 0.5) * stride
            x, y = ops.meshgrid(at, at)
            centres.append(ops.reshape(ops.stack([x, y], axis=-1), (-1, 2)))
            strides.append(ops.full((at.shape[0] ** 2, 1), float(stride)))
        return ops.concatenate(centres), ops.concatenate(strides)


def build_yolo_v8(size, num_classes, image_size, decoding, *, weights=None, bounding_box_format="xyxy"):
    """Builds YOLOv8 on raw pixels.

    Args:
        size: a key of `SIZES`.
        num_classes: number of classes, at least 1.
        image_size: height and width of the images in pixels, a multiple of 32.
        decoding: `DecodingSettings`.
        weights: "coco" for the backbone of KerasCV's preset, which needs the network, or None for random weights.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `YoloV8` with the blocks `stem`, `stack1` to `stack4`, `neck` and `head`.

    Raises:
        InputError: the size is unknown, the weights cannot be downloaded, or the image size is not a multiple of 32.
    """
    if size not in SIZES:
        raise unknown_name("model.backbone", size, SIZES)
    check_image_size(image_size, STRIDES[-1])
    network = _build_network(size, num_classes, image_size, weights)
    _set_prior(network)
    decoder = CellDecoder(image_size, decoding, bounding_box_format)
    return YoloV8(network.input, network.output, decoder=decoder, num_classes=num_classes, name=size)


def _build_network(size, num_classes, image_size, weights):
    """Returns a flat functional model of layers named `BLOCK.LAYER`."""
    # The public detector nests its backbone, whose blocks could then not freeze; its parts are private.
    parts = importlib.import_module("keras_cv.src.models.object_detection.yolo_v8.yolo_v8_detector")
    backbone = _build_backbone(size, image_size, weights)
    levels = {level: backbone.get_layer(name).output for level, name in backbone.pyramid_level_inputs.items()}
    maps = bundle_maps([levels[f"P{number}"] for number in (3, 4, 5)])
    neck = parts.apply_path_aggregation_fpn(maps, depth=SIZES[size][2], name="neck")
    outputs = parts.apply_yolo_v8_head(neck, num_classes, name="head")
    network = keras.Model(backbone.input, outputs)
    ends = [("stem", levels["P1"]), *((f"stack{number}", levels[f"P{number + 1}"]) for number in (1, 2, 3, 4))]
    blocks = blocks_of(network, [*ends, ("neck", neck), ("head", list(outputs.values()))])
    return add_preprocessing(network, blocks, UNIT, image_size, name=size)


def _build_backbone(size, image_size, weights):
    models = importlib.import_module("keras_cv").models
    options = {"include_rescaling": False, "input_shape": (image_size, image_size, 3)}
    if weights is None:
        channels, depths, _ = SIZES[size]
        return models.YOLOV8Backbone(stackwise_channels=list(channels), stackwise_depth=list(depths), **options)
    try:
        return models.YOLOV8Backbone.from_preset(f"{size}_backbone_coco", **options)
    except (OSError, ValueError) as error:
        reason = first_line(error)
        raise InputError(
            f"The COCO weights of {size} could not be downloaded ({reason}): give a local file with --model.weights "
            "PATH, or train from random weights with --model.weights none."
        ) from error


def _set_prior(network):
    for name in YoloV8.class_layers:
        bias = network.get_layer(name).bias
        bias.assign(ops.full(bias.shape, -math.log((1 - PRIOR) / PRIOR)))
