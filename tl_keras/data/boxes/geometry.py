"""Boxes as numbers: formats, areas, and how they follow their image when it is cut or resized."""

import numpy as np

from tl_keras.errors import unknown_name

BOX_FORMATS = ("xyxy", "xywh", "relative_yxyx", "relative_center_xywh")
BOX_RESIZES = ("pad", "squash")


def to_xyxy(boxes, box_format, sizes):
    """Converts boxes to left, top, right, bottom in pixels.

    Args:
        boxes: float (k, 4).
        box_format: "xyxy"; "xywh", left, top, width, height in pixels; or as fractions of the image "relative_yxyx"
            or "relative_center_xywh".
        sizes: (k, 2) or (2,), height and width of the image of each box.

    Returns:
        float64 (k, 4).
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
    """Computes areas.

    Args:
        boxes: float (..., 4), xyxy.

    Returns:
        float (...), 0 where a side is not positive.
    """
    boxes = np.asarray(boxes)
    return np.maximum(boxes[..., 2] - boxes[..., 0], 0) * np.maximum(boxes[..., 3] - boxes[..., 1], 0)


def clip_boxes(boxes, sizes):
    """Cuts boxes at the borders of their image.

    Args:
        boxes: float (k, 4), xyxy in pixels.
        sizes: (k, 2) or (2,), height and width.

    Returns:
        float (k, 4).
    """
    height, width = np.asarray(sizes).reshape(-1, 2).T
    zero = np.zeros_like(height)
    return np.clip(boxes, np.stack([zero] * 4, axis=-1), np.stack([width, height, width, height], axis=-1))


def resize_boxes(boxes, size, image_size, resize="pad"):
    """Moves boxes as `read_image` moves the pixels below them.

    Args:
        boxes: float (k, 4), xyxy in pixels of the image.
        size: its height and width.
        image_size: height and width of the result.
        resize: "pad" or "squash".

    Returns:
        float32 (k, 4), xyxy in pixels of the result.

    Raises:
        InputError: resize is neither.
    """
    scale, offset = _scale_and_offset(size, image_size, resize)
    return (np.asarray(boxes, "float64").reshape(-1, 4) * scale + offset).astype("float32")


def restore_boxes(boxes, size, image_size, resize="pad"):
    """Undoes `resize_boxes`: from the square that a model has seen back to the image, cut at its borders.

    Args:
        boxes: float (k, 4), xyxy in pixels of the square.
        size: height and width of the image.
        image_size: height and width of the square.
        resize: "pad" or "squash".

    Returns:
        float32 (k, 4), xyxy in pixels of the image.

    Raises:
        InputError: resize is neither.
    """
    scale, offset = _scale_and_offset(size, image_size, resize)
    restored = (np.asarray(boxes, "float64").reshape(-1, 4) - offset) / scale
    return clip_boxes(restored, size).astype("float32")


def _scale_and_offset(size, image_size, resize):
    """Returns two float64 (4,): what coordinates are multiplied by, and what is added then."""
    if resize not in BOX_RESIZES:
        raise unknown_name("data.resize", resize, BOX_RESIZES)
    height, width = (float(side) for side in size)
    new_height = new_width = float(image_size)
    if resize == "pad":
        # Rounded as Pillow's ImageOps.pad rounds.
        new_height = float(max(1, round(min(1.0, height / width) * image_size)))
        new_width = float(max(1, round(min(1.0, width / height) * image_size)))
    left, top = round((image_size - new_width) * 0.5), round((image_size - new_height) * 0.5)
    return np.array([new_width / width, new_height / height] * 2), np.array([left, top] * 2, "float64")
