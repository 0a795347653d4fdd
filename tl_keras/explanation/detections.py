"""Explanations of the detections in an image."""

from dataclasses import dataclass

import numpy as np

from tl_keras.explanation.box_maps import box_maps


@dataclass(frozen=True)
class ExplainedDetection:
    """Holds a detection and the parts of the image that made it."""

    class_name: str
    """Name of its class."""
    score: float
    """Its score, 0 to 1."""
    box: list
    """Left, top, right and bottom in pixels of the image as it was given, as `predict` returns them."""
    box_in_image: list
    """The same in pixels of `DetectionExplanation.image`."""
    heat_map: np.ndarray
    """float32 (cells, cells) over `DetectionExplanation.image`, 0 to 1 at its maximum; all 0 if nothing raises the
    score."""


@dataclass(frozen=True)
class DetectionExplanation:
    """Holds the explained detections of an image, the most confident first."""

    method = "ODAM"
    image: np.ndarray
    """uint8 (side, side, 3), RGB, as the network takes it."""
    detections: list
    """`ExplainedDetection` of each; empty where nothing is found."""


def explain_detections(model, image, found, boxes, class_names):
    """Explains detections by `box_maps`.

    Args:
        model: detector from images to detections.
        image: uint8 (side, side, 3), RGB, as the network takes it.
        found: dict of `boxes`, `scores` and `labels` of the k detections, as `detect` returns them.
        boxes: float (k, 4), the same boxes in pixels of the image as it was given.
        class_names: names of the classes.

    Returns:
        `DetectionExplanation`.
    """
    if not len(found["scores"]):
        return DetectionExplanation(image, [])
    maps = box_maps(model, image, found)
    maps = maps / np.maximum(maps.max((1, 2), keepdims=True), np.finfo("float32").tiny)
    rows = zip(found["labels"], found["scores"], boxes, found["boxes"], maps, strict=True)
    return DetectionExplanation(
        image,
        [
            ExplainedDetection(class_names[label], float(score), box.tolist(), own.tolist(), heat_map)
            for label, score, box, own, heat_map in rows
        ],
    )
