"""RetinaNet: one network that predicts class and box of every anchor of a feature pyramid."""

import math

import keras
from keras import ops

from tl_keras.errors import InputError
from tl_keras.models.detection.box_decoders import AnchorDecoder
from tl_keras.models.detection.detector import Detector
from tl_keras.models.detection.features import bundle_maps, require_maps
from tl_keras.models.detection.losses.per_image import focal_cross_entropy, l1_loss
from tl_keras.models.detection.neck import add_convolved_levels, add_feature_pyramid
from tl_keras.models.detection.targets.anchors import AnchorGrid
from tl_keras.models.detection.targets.box_coding import encode_boxes
from tl_keras.models.detection.targets.matching import IGNORED, POSITIVE, match_boxes

BACKBONE_STRIDES = (8, 16, 32)
STRIDES = (8, 16, 32, 64, 128)
OCTAVES = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))
GROUPS = 32
PRIOR = 0.01
"""Initial probability of every class, so that the background does not dominate the first steps."""


class RetinaNet(Detector):
    """RetinaNet as one functional model, built by `build_retina_net`.

    Lin et al. 2017, "Focal Loss for Dense Object Detection" (https://arxiv.org/abs/1708.02002), with detectron2's
    L1 loss of the boxes. As in torchvision, both losses are divided by the number of anchors in their image that are
    objects, at least 1, so that images without boxes train the background.

    Args:
        inputs: Keras tensor, the input of the model.
        outputs: dictionary of Keras tensors: `class_logits` (batch, all_anchors, num_classes) and `box_deltas` (batch,
            all_anchors, 4).
        decoder: `AnchorDecoder`.
        num_classes: number of classes.
        name: name of the model.
    """

    decoder_inputs = ("class_logits", "box_deltas")
    loss_names = ("class_loss", "box_loss")
    class_layers = ("head.logits",)

    def image_losses(self, boxes, labels, outputs, training):
        """Computes the losses of each image, see `Detector`."""
        anchors = ops.convert_to_tensor(self.decoder.anchors.all())[None]
        matches, kinds = match_boxes(anchors, boxes, labels >= 0, negative_below=0.4, positive_from=0.5, keep_best=True)
        is_object = kinds == POSITIVE
        count = ops.maximum(ops.sum(ops.cast(is_object, "float32"), axis=1), 1.0)
        classes = ops.where(is_object, ops.take_along_axis(labels, matches, axis=1), -1)
        entropy = focal_cross_entropy(outputs["class_logits"], ops.one_hot(classes, self.num_classes))
        entropy = ops.where(kinds == IGNORED, 0.0, ops.sum(entropy, axis=-1))
        targets = encode_boxes(ops.take_along_axis(boxes, matches[..., None], axis=1), anchors)
        distance = ops.where(is_object, l1_loss(outputs["box_deltas"], targets), 0.0)
        return {"class_loss": ops.sum(entropy, axis=1) / count, "box_loss": ops.sum(distance, axis=1) / count}


def build_retina_net(backbone, num_classes, settings, *, bounding_box_format="xyxy"):
    """Builds RetinaNet on a backbone.

    Args:
        backbone: flat functional `keras.Model` of square images, from `build_backbone`.
        num_classes: number of classes, at least 1.
        settings: `RetinaNetSettings`.
        bounding_box_format: see `build_object_detector`.

    Returns:
        `RetinaNet` with the blocks of the backbone, `neck` and `head`.

    Raises:
        InputError: the backbone lacks maps of strides 8, 16 and 32, the image size is not a multiple of 32, or the
            number of anchor sizes is not five.
    """
    maps = bundle_maps(require_maps(backbone, BACKBONE_STRIDES))
    if len(settings.anchor_sizes) != len(STRIDES):
        raise InputError(
            f"There are {len(settings.anchor_sizes)} anchor sizes for {len(STRIDES)} levels: give one for each, finest "
            "first, such as 32 64 128 256 512."
        )
    levels = add_feature_pyramid(maps, settings.channels)
    source = maps[-1] if settings.coarse_from_backbone else levels[-1]
    levels = add_convolved_levels(levels, source, settings.channels)
    anchors = _anchors(backbone.input.shape[1], settings)
    logits = _branch(levels, "class", anchors.per_cell, num_classes, settings)
    deltas = _branch(levels, "box", anchors.per_cell, 4, settings)
    return RetinaNet(
        backbone.input,
        {"class_logits": logits, "box_deltas": deltas},
        decoder=AnchorDecoder(anchors, settings.decoding, bounding_box_format),
        num_classes=num_classes,
        name=f"retinanet_{backbone.name}",
    )


def _anchors(image_size, settings):
    sizes = [[size * octave for octave in OCTAVES] for size in settings.anchor_sizes]
    if settings.anchors_at_corners:
        sizes = [map(int, level) for level in sizes]
    return AnchorGrid(
        image_size, STRIDES, tuple(map(tuple, sizes)), tuple(settings.aspect_ratios), settings.anchors_at_corners
    )


def _branch(levels, name, per_cell, values, settings):
    """Applies one small network to every level: (batch, all_anchors, values).

    In its last kernel the class is the fastest-varying part of the last axis.
    """
    options = {"activation": None if settings.group_norm else "relu", "use_bias": not settings.group_norm}
    hidden = []
    for number in range(1, settings.head_depth + 1):
        hidden.append(_convolution(settings.channels, f"head.{name}{number}", **options))
        if settings.group_norm:
            hidden.append(keras.layers.GroupNormalization(GROUPS, name=f"head.{name}_norm{number}"))
            hidden.append(keras.layers.ReLU(name=f"head.{name}_relu{number}"))
    bias = keras.initializers.Constant(-math.log((1 - PRIOR) / PRIOR)) if name == "class" else "zeros"
    last_name = "head.logits" if name == "class" else "head.boxes"
    last = _convolution(per_cell * values, last_name, bias_initializer=bias, dtype="float32")
    outputs = []
    for level in levels:
        for layer in hidden:
            level = layer(level)
        anchors = level.shape[1] * level.shape[2] * per_cell
        outputs.append(ops.reshape(last(level), (-1, anchors, values)))
    return ops.concatenate(outputs, axis=1)


def _convolution(channels, name, **options):
    initializer = keras.initializers.RandomNormal(stddev=0.01)
    return keras.layers.Conv2D(channels, 3, padding="same", kernel_initializer=initializer, name=name, **options)
