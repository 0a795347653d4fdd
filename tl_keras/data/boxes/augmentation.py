"""Augmentation of images with boxes by flips, scale jitter, colour and mosaic, as pure functions of a seed."""

import math
from dataclasses import dataclass

import tensorflow as tf

from tl_keras.data.pipeline.stateless_random import StatelessSeeds
from tl_keras.errors import unknown_name


@dataclass(frozen=True)
class BoxPreset:
    """Strengths of an augmentation.

    Attributes:
        scale: minimum and maximum factor of enlargement; larger images are cropped at a random place, smaller ones are
            padded with grey.
        colour: maximum change of brightness (as a fraction of the range), contrast and saturation.
        mosaic: probability that an image is replaced by a mosaic of itself and three others of its batch.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    colour: float = 0.0
    mosaic: float = 0.0


BOX_AUGMENTATIONS = {
    "none": BoxPreset(),
    "light": BoxPreset(scale=(0.8, 1.25), colour=0.15),
    # Bochkovskiy et al., "YOLOv4" (2020), section 3.3.
    "mosaic": BoxPreset(scale=(0.7, 1.4), colour=0.2, mosaic=0.5),
}

MIN_SHARE = 0.25
"""Minimum fraction of the area of a box that must be inside for the box to stay."""
_MIN_SIDE = 2.0
_MOSAIC_SCALE, _MOSAIC_CENTER = (0.4, 1.0), (0.3, 0.7)
_GREY = 127.0


def augment_boxes(images, boxes, labels, preset, seed):
    """Augments a batch, in a `tf.data` map or eagerly.

    Each image is flipped with probability 1/2, besides the changes of the preset.

    Args:
        images: uint8 or float32 (batch, side, side, 3), RGB, 0 to 255.
        boxes: float32 (batch, max_boxes, 4), xyxy in pixels.
        labels: int32 (batch, max_boxes), -1 for padding.
        preset: a key of `BOX_AUGMENTATIONS`.
        seed: int32 or int64 (2,). The result depends on the arguments only.

    Returns:
        images: float32 of the same shape and range.
        boxes: float32 of the same shape, clipped to the images, padded with zeros at the end. Mosaics with more than
            max_boxes boxes lose the last ones.
        labels: int32 of the same shape.

    Raises:
        InputError: the preset is unknown.
    """
    if preset not in BOX_AUGMENTATIONS:
        raise unknown_name("data.augmentation", preset, BOX_AUGMENTATIONS)
    preset, seeds = BOX_AUGMENTATIONS[preset], StatelessSeeds(seed)
    images, max_boxes = tf.cast(images, tf.float32), tf.shape(labels)[1]
    if preset.mosaic:
        images, boxes, labels = _mosaic(images, boxes, labels, preset, seeds)
    else:
        count, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
        window = tf.tile([[0.0, 0.0, side, side]], (count, 1))
        images, boxes, labels = _move(images, boxes, labels, *_jitter(count, side, preset.scale, seeds), window)
    return (_recolour(images, preset.colour, seeds), *_first_boxes(boxes, labels, max_boxes))


def _jitter(count, side, scale, seeds):
    """Draws the enlargement, the left and top position and the flip of each image."""
    factor = tf.exp(tf.random.stateless_uniform((count,), seeds.next(), *(math.log(bound) for bound in scale)))
    # An image is either cropped or padded, never both: its borders are all outside or all inside of the frame.
    left, top = tf.unstack(tf.random.stateless_uniform((2, count), seeds.next()) * side * (1 - factor))
    return factor, left, top, tf.random.stateless_uniform((count,), seeds.next()) < 0.5


def _move(images, boxes, labels, factor, left, top, is_flipped, window):
    """Enlarges images, moves their corner to (left, top) and clips their boxes to a window.

    factor, left and top are float32 (batch,), is_flipped is bool (batch,), window is float32 (batch, 4).
    """
    side = tf.cast(tf.shape(images)[1], tf.float32)
    sign = tf.where(is_flipped, -1.0, 1.0)
    # Column x of a flipped image comes from side - 1 - x, counted from pixel centres.
    zero, step = tf.zeros_like(factor), 1 / factor
    start_x, start_y = ((0.5 - corner) * step - 0.5 for corner in (left, top))
    start_x = tf.where(is_flipped, side - 1 - start_x, start_x)
    transforms = tf.stack([sign * step, zero, start_x, zero, step, start_y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=_GREY,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    moved = tf.ensure_shape(moved, images.shape)
    low, high = boxes[..., 0], boxes[..., 2]
    low, high = tf.where(is_flipped[:, None], side - high, low), tf.where(is_flipped[:, None], side - low, high)
    corners = tf.stack([low, boxes[..., 1], high, boxes[..., 3]], axis=-1)
    corners = corners * factor[:, None, None] + tf.stack([left, top, left, top], axis=1)[:, None]
    return moved, *_clip(corners, labels, window)


def _clip(boxes, labels, window):
    """Clips boxes to a window, float32 (batch, 4), and removes the labels of boxes that become too small."""
    low, high = tf.tile(window[:, None, :2], (1, 1, 2)), tf.tile(window[:, None, 2:], (1, 1, 2))
    clipped = tf.clip_by_value(boxes, low, high)
    sides, before = clipped[..., 2:] - clipped[..., :2], boxes[..., 2:] - boxes[..., :2]
    is_large = tf.reduce_prod(sides, -1) >= MIN_SHARE * tf.reduce_prod(before, -1)
    is_large &= tf.reduce_min(sides, -1) >= _MIN_SIDE
    return clipped, tf.where(is_large, labels, -1)


def _mosaic(images, boxes, labels, preset, seeds):
    """Joins each image with three others of the batch around a random point; returns four times as many boxes."""
    count, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
    is_mosaic = tf.random.stateless_uniform((count,), seeds.next()) < preset.mosaic
    # Other images keep only the first part, whose window is the whole frame.
    center = tf.random.stateless_uniform((2, count), seeds.next(), *_MOSAIC_CENTER)
    center_x, center_y = tf.unstack(tf.where(is_mosaic, center, 1.0) * side)
    zero, end = tf.zeros_like(center_x), tf.fill((count,), side)
    whole = _jitter(count, side, preset.scale, seeds)
    result, parts = tf.zeros_like(images), []
    for number in range(4):
        factor, _, _, is_flipped = _jitter(count, side, _MOSAIC_SCALE, seeds)
        # Each part touches the point with one corner.
        at_left, at_top = number % 2 == 0, number < 2
        left, top = center_x - side * factor * at_left, center_y - side * factor * at_top
        placement = (factor, left, top, is_flipped)
        if number == 0:
            placement = [tf.where(is_mosaic, one, other) for one, other in zip(placement, whole, strict=True)]
        first_x, last_x = (zero, center_x) if at_left else (center_x, end)
        first_y, last_y = (zero, center_y) if at_top else (center_y, end)
        window = tf.stack([first_x, first_y, last_x, last_y], axis=1)
        others = (tf.range(count) + _shift(number, count, seeds)) % count
        moved, *part = _move(*(tf.gather(source, others) for source in (images, boxes, labels)), *placement, window)
        result = tf.where(_mask(window, side), moved, result)
        parts.append(part)
    return result, *(tf.concat(column, 1) for column in zip(*parts, strict=True))


def _shift(number, count, seeds):
    """Returns the distance in the batch of the image of a part, 0 for the first part."""
    shift = tf.random.stateless_uniform((), seeds.next(), 1, tf.maximum(count, 2), tf.int32)
    return shift if number else tf.zeros_like(shift)


def _mask(window, side):
    """Returns bool (batch, side, side, 1), True for pixels whose centre is in a window, float32 (batch, 4)."""
    centers = tf.range(side) + 0.5
    left, top, right, bottom = tf.split(window, 4, axis=1)
    columns, rows = (centers >= left) & (centers < right), (centers >= top) & (centers < bottom)
    return (rows[:, :, None] & columns[:, None, :])[..., None]


def _recolour(images, strength, seeds):
    """Changes saturation, contrast and brightness of each image."""
    if not strength:
        return images
    shape = (tf.shape(images)[0], 1, 1, 1)
    saturation, contrast, brightness = (
        tf.random.stateless_uniform(shape, seeds.next(), -strength, strength) for _ in range(3)
    )
    grey = tf.reduce_mean(images, axis=-1, keepdims=True)
    images = grey + (images - grey) * (1 + saturation)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return tf.clip_by_value(mean + (images - mean) * (1 + contrast) + 255 * brightness, 0.0, 255.0)


def _first_boxes(boxes, labels, max_boxes):
    """Moves boxes before padding and keeps the first `max_boxes` of each image."""
    order = tf.argsort(tf.cast(labels < 0, tf.int32), axis=1, stable=True)[:, :max_boxes]
    labels = tf.gather(labels, order, batch_dims=1)
    boxes = tf.where((labels >= 0)[..., None], tf.gather(boxes, order, batch_dims=1), 0.0)
    return boxes, labels
