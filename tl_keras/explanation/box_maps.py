"""Maps of the parts of an image that made a detection: gradient times activation for that very box."""

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tl_keras.models.blocks import block_of
from tl_keras.models.detection.box_decoders import Decoder
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.detection.targets.box_coding import clip_boxes
from tl_keras.models.graph import ordered_nodes

NEW_BLOCKS = {block for family in FAMILIES.values() for block in family.last_blocks}
MAX_SIDE = 64
"""Maximum cells along a side of a map."""


def box_maps(model, image, detections):
    """Computes a map for each of several detections in an image.

    This is ODAM (Zhao and Chan 2023, https://arxiv.org/abs/2304.06354, section 3), without its smoothing: the gradient
    of the score y of that anchor, cell, proposal or query before non-maximum suppression, with respect to the maps A_l
    that the backbone passes on, times these maps: L_l = ReLU(sum_k dy/dA_kl A_kl). Unlike the averaged gradients of
    Grad-CAM it differs between boxes of one class. The maps of all strides are resized to one grid and added, so that
    each keeps its sum.

    Args:
        model: `inference_model` of a `Detector`, also a saved and opened one.
        image: float32 or uint8 (side, side, 3), RGB, 0 to 255.
        detections: dict of `boxes`, float (k, 4), xyxy in pixels, `scores`, float (k,), and `labels`, int (k,), as
            `detect` returns them for the image.

    Returns:
        float32 (k, cells, cells), not negative.
    """
    maps, decoder, inputs = _parts(model)
    features = keras.Function(model.input, maps)(tf.cast(image[None], "float32"))
    with tf.GradientTape(persistent=True) as tape:
        for part in features:
            tape.watch(part)
        boxes, scores = decoder.boxes_and_scores(*keras.Function(maps, inputs)(features))
        places = find_candidates(
            np.asarray(clip_boxes(boxes, decoder.image_size))[0], np.asarray(scores)[0], detections
        )
        chosen = [scores[0, place, label] for place, label in zip(places, detections["labels"], strict=True)]
    side = min(MAX_SIDE, max(part.shape[1] for part in features))
    heat = np.zeros((len(chosen), side, side), "float32")
    for number, score in enumerate(chosen):
        for part, gradient in zip(features, tape.gradient(score, features), strict=True):
            if gradient is not None:
                heat[number] += _resize(np.asarray(tf.reduce_sum(tf.cast(part * gradient, "float32"), -1))[0], side)
    return heat


def find_candidates(boxes, scores, detections):
    """Finds the rows of the network's output that detections come from.

    Args:
        boxes: float (n, 4), or (n, num_classes, 4) for separate boxes per class; xyxy in pixels inside the image.
        scores: float (n, num_classes), 0 to 1.
        detections: dict as for `box_maps`.

    Returns:
        List of k int.
    """
    rows = []
    for box, score, label in zip(*(detections[name] for name in ("boxes", "scores", "labels")), strict=True):
        own = boxes[:, label] if boxes.ndim == 3 else boxes
        # The detections may come from a compiled network, which rounds differently.
        distance = np.abs(own - box).max(axis=1) + np.max(boxes) * np.abs(scores[:, label] - score)
        rows.append(int(distance.argmin()))
    return rows


def _parts(model):
    """Returns the maps that the backbone passes on, the decoder and its inputs."""
    maps, nodes = {}, ordered_nodes(model)
    for node in nodes:
        # Operations without a block lie behind the backbone, too.
        if not _is_backbone(node.operation):
            maps |= {id(one): one for one in node.input_tensors if len(one.shape) == 4 and _is_backbone(_source(one))}
    last = next(node for node in nodes if isinstance(node.operation, Decoder))
    return list(maps.values()), last.operation, last.input_tensors


def _is_backbone(operation):
    return "." in operation.name and block_of(operation) not in NEW_BLOCKS


def _source(tensor):
    return tensor._keras_history.operation


def _resize(values, side):
    """Resizes the positive part of a map to another side and keeps its sum."""
    positive = Image.fromarray(np.maximum(values, 0).astype("float32"))
    resized = positive.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(resized) * (len(values) / side) ** 2
