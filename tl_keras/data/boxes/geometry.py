"""Geometry of boxes: formats, areas, clipping, and resizing with the image."""

import numpy as np

from tl_keras.data.images.resizing import PAD, STRETCH
from tl_keras.errors import unknown_name

BOX_FORMATS = ("xyxy", "xywh", "relative_yxyx", "relative_center_xywh")
BOX_RESIZES = (PAD, STRETCH)


def to_xyxy(boxes, box_format, sizes):
    """Converts boxes to left, top, right, bottom in pixels.

    Args:
        boxes: float (k, 4).
        box_format: "xyxy", or "xywh" (left, top, width, height), both in pixels; "relative_yxyx" or
            "relative_center_xywh", both as fractions of the image.
        sizes: (k, 2) or (2,), height and width of the image of each box.

    Returns:
        float64 (k, 4).

    Raises:
        InputError: the format is unknown.
    """
    first, second, third, fourth = np.asarray(boxes, "float64").reshape(-1, 4).T
    height, width = np.asarray(sizes, "float64").reshape(-1, 2).T
    if box_format == "xyxy":
        corners = first, second, third, fourth
    elif box_format == "xywh":
        corners = first, second, first + third, second + fourth
    elif box_format == "relative_yxyx":
        corners = second * width, first * height, fourth * width, third * height
    elif box_format == "relative_center_xywh":
        left, top = first - third / 2, second - fourth / 2
        corners = left * width, top * height, (left + third) * width, (top + fourth) * height
    else:
        raise unknown_name("detection.box_format", box_format, BOX_FORMATS)
    return np.stack(corners, axis=-1)


def box_areas(boxes):
    """Computes the areas of boxes.

    Args:
        boxes: float (..., 4), xyxy.

    Returns:
        float (...); 0 if a side is not positive.
    """
    boxes = np.asarray(boxes)
    with np.errstate(invalid="ignore"):
        # Boxes of infinity, whose area is NaN, are named by the checks.
        return np.maximum(boxes[..., 2] - boxes[..., 0], 0) * np.maximum(boxes[..., 3] - boxes[..., 1], 0)


def clip_boxes(boxes, sizes):
    """Clips boxes to their image.

    Args:
        boxes: float (k, 4), xyxy in pixels.
        sizes: (k, 2) or (2,), height and width.

    Returns:
        float (k, 4).
    """
    height, width = np.asarray(sizes).reshape(-1, 2).T
    zero = np.zeros_like(height)
    return np.clip(boxes, np.stack([zero] * 4, axis=-1), np.stack([width, height, width, height], axis=-1))


def resize_boxes(boxes, size, image_size, resize=PAD):
    """Resizes boxes as `read_image` resizes their image.

    Args:
        boxes: float (k, 4), xyxy in pixels of the image.
        size: height and width of the image.
        image_size: height and width of the resized image.
        resize: one of `BOX_RESIZES`.

    Returns:
        float32 (k, 4), xyxy in pixels of the resized image.

    Raises:
        InputError: `resize` is unknown.
    """
    scale, offset = _scale_and_offset(size, image_size, resize)
    return (np.asarray(boxes, "float64").reshape(-1, 4) * scale + offset).astype("float32")


def restore_boxes(boxes, size, image_size, resize=PAD):
    """Reverses `resize_boxes` and clips the boxes to the image.

    Args:
        boxes: float (k, 4), xyxy in pixels of the resized image.
        size: height and width of the image.
        image_size: height and width of the resized image.
        resize: one of `BOX_RESIZES`.

    Returns:
        float32 (k, 4), xyxy in pixels of the image.

    Raises:
        InputError: `resize` is unknown.
    """
    scale, offset = _scale_and_offset(size, image_size, resize)
    restored = (np.asarray(boxes, "float64").reshape(-1, 4) - offset) / scale
    return clip_boxes(restored, size).astype("float32")


def _scale_and_offset(size, image_size, resize):
    """Returns the factors and the offsets of the four coordinates, float64 (4,) each."""
    if resize not in BOX_RESIZES:
        raise unknown_name("data.resize", resize, BOX_RESIZES)
    height, width = (float(side) for side in size)
    new_height = new_width = float(image_size)
    if resize == PAD:
        # The same rounding as ImageOps.pad of Pillow.
        new_height = float(max(1, round(min(1.0, height / width) * image_size)))
        new_width = float(max(1, round(min(1.0, width / height) * image_size)))
    left, top = round((image_size - new_width) * 0.5), round((image_size - new_height) * 0.5)
    return np.array([new_width / width, new_height / height] * 2), np.array([left, top] * 2, "float64")
