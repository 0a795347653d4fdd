"""Tiny backbones and detectors, and images of rectangles, so that a detector trains in seconds."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras
import numpy as np
import pytest
from keras import layers

from tl_keras.models.detection import d_fine, yolo_v8
from tl_keras.models.detection.faster_rcnn import build_faster_rcnn
from tl_keras.models.detection.hub.d_fine_sizes import DFineSize
from tl_keras.models.detection.retina_net import build_retina_net
from tl_keras.models.detection.settings import (
    DecodingSettings,
    DFineSettings,
    FasterRCNNSettings,
    RetinaNetSettings,
)

SIZE = 64
DECODING = DecodingSettings(max_detections=20, max_candidates=50)
SINGLE = FasterRCNNSettings(
    feature_pyramid=False,
    channels=8,
    anchor_sizes=(16.0, 32.0),
    candidates_per_level=30,
    num_proposals=12,
    anchor_samples=32,
    head_samples=8,
    head_units=(16,),
    pool_size=3,
    decoding=DECODING,
)
PYRAMID = FasterRCNNSettings(
    channels=8,
    anchor_sizes=(8.0, 16.0, 24.0, 32.0, 48.0),
    candidates_per_level=30,
    num_proposals=12,
    anchor_samples=32,
    head_samples=8,
    head_units=(16,),
    pool_size=3,
    decoding=DECODING,
)
RETINA = RetinaNetSettings(channels=8, head_depth=1, anchor_sizes=(12.0, 20.0, 32.0, 48.0, 64.0), decoding=DECODING)

D_FINE = DFineSize(
    stem=(3, 4, 4),
    stages=((4, 4, 8, 1, 1, 3), (8, 4, 16, 1, 1, 3), (16, 8, 16, 1, 1, 3)),
    affine=True,
    strides=(8, 16),
    neck=(16, 16),
    expansion=0.5,
    depth=0.34,
    decoder=(16, 16),
    layers=2,
    points=(2, 2),
)
YOLO_V8 = ((8, 8, 16, 16), (1, 1, 1, 1), 1)


@dataclass(frozen=True)
class TinyDetector:
    """Describes a tiny detector for `detector_harness`: one entry of `TINY_DETECTORS`."""

    build: Callable
    """Function from the number of classes to the `Detector`."""
    blocks: tuple[str, ...]
    """Names of its blocks that have weights."""
    class_losses: tuple[str, ...]
    """Names of the losses that images without boxes have."""
    box_losses: tuple[str, ...]
    """Names of the losses that are 0 for images without boxes."""
    whole_samples: dict = field(default_factory=dict)
    """Changes of `model.settings` that make its random samples contain all candidates."""


def _yolo_v8(num_classes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(yolo_v8.SIZES, "tiny", YOLO_V8)
        return yolo_v8.build_yolo_v8("tiny", num_classes, SIZE, DECODING)


def build_tiny_d_fine(num_classes=2, *, size=D_FINE):
    """Builds D-FINE of a size that is not in its table."""
    settings = DFineSettings(num_queries=12, decoding=replace(DECODING, overlap_threshold=1.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(d_fine.SIZES, "tiny", size)
        return d_fine.build_d_fine("tiny", num_classes, SIZE, settings)


BACKBONE_BLOCKS = ("block1", "block2", "block3", "block4", "block5")
FASTER_RCNN = {
    "class_losses": ("objectness_loss", "class_loss"),
    "box_losses": ("anchor_box_loss", "box_loss"),
    "whole_samples": {"anchor_samples": 1000, "head_samples": 1000},
}
TINY_DETECTORS = {
    "faster_rcnn": TinyDetector(
        lambda num_classes: build_faster_rcnn(tiny_backbone(), num_classes, SINGLE),
        (*BACKBONE_BLOCKS[:4], "proposals", "head"),
        **FASTER_RCNN,
    ),
    "feature_pyramid": TinyDetector(
        lambda num_classes: build_faster_rcnn(tiny_backbone(), num_classes, PYRAMID),
        (*BACKBONE_BLOCKS, "neck", "proposals", "head"),
        **FASTER_RCNN,
    ),
    "retinanet": TinyDetector(
        lambda num_classes: build_retina_net(tiny_backbone(), num_classes, RETINA),
        (*BACKBONE_BLOCKS, "neck", "head"),
        ("class_loss",),
        ("box_loss",),
    ),
    "yolo_v8": TinyDetector(
        _yolo_v8, ("stem", "stack1", "stack2", "stack3", "stack4", "neck", "head"), ("class_loss",), ("box_loss",)
    ),
    "d_fine": TinyDetector(
        build_tiny_d_fine,
        ("stem", "stage1", "stage2", "stage3", "neck", "head"),
        ("class_loss",),
        ("box_loss", "edge_loss"),
    ),
}
"""Every detector; the first two are Faster R-CNN."""
DETECTORS = tuple(TINY_DETECTORS)


def build_tiny(name, num_classes=2):
    """Builds a tiny detector of `TINY_DETECTORS`."""
    return TINY_DETECTORS[name].build(num_classes)


def tiny_backbone(strides=5, width=8):
    """Builds a backbone of one convolution of stride 2 per block; `block2` also has a BatchNormalization."""
    inputs = keras.Input((SIZE, SIZE, 3), name="preprocessing.image")
    outputs = layers.Rescaling(1 / 127.5, -1.0, name="preprocessing.scale")(inputs)
    for number in range(1, strides + 1):
        outputs = layers.Conv2D(width * number, 3, 2, padding="same", name=f"block{number}.conv")(outputs)
        if number == 2:
            outputs = layers.BatchNormalization(name="block2.norm")(outputs)
        outputs = layers.ReLU(name=f"block{number}.relu")(outputs)
    return keras.Model(inputs, outputs, name="tiny")


def rectangles(number, seed=0, max_boxes=3):
    """Draws dark images with 1 or 2 separate bright rectangles: class 0 is red, class 1 is blue."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 40, (number, SIZE, SIZE, 3)).astype("uint8")
    boxes, labels = np.zeros((number, max_boxes, 4), "float32"), np.full((number, max_boxes), -1, "int32")
    for index in range(number):
        for place in range(1 + index % 2):
            width, height = generator.integers(14, 28, 2)
            left = generator.integers(0, 30 - width) if width < 30 else 0
            left, top = left + 32 * place, generator.integers(0, SIZE - height)
            label = generator.integers(2)
            images[index, top : top + height, left : left + width, 2 * label] = 230
            boxes[index, place] = left, top, left + width, top + height
            labels[index, place] = label
    return images, {"boxes": boxes, "labels": labels}


def numpy_iou(first, second):
    """Computes the IoU of two boxes."""
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    shared = np.prod(np.maximum(high - low, 0))
    union = np.prod(np.maximum(first[2:] - first[:2], 0)) + np.prod(np.maximum(second[2:] - second[:2], 0)) - shared
    return shared / union if union > 0 else 0.0


def random_boxes(shape, seed=0, size=64.0):
    """Draws random boxes, float32 (*shape, 4), xyxy."""
    corners = np.sort(np.random.default_rng(seed).uniform(0, size, (*shape, 2, 2)), axis=-2)
    return corners.reshape(*shape, 4).astype("float32")


def greedy(boxes, is_candidate, threshold, labels):
    """Computes greedy suppression of boxes sorted by score: bool (n,), True for kept boxes."""
    kept = []
    for index, box in enumerate(boxes):
        rivals = [boxes[other] for other in kept if labels is None or labels[other] == labels[index]]
        if is_candidate[index] and all(numpy_iou(box, rival) <= threshold for rival in rivals):
            kept.append(index)
    return np.isin(np.arange(len(boxes)), kept)
