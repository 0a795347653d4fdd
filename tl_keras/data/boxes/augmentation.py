"""Augmentation of images with boxes: flips, scale jitter, colour and mosaic, as a pure function of a seed."""

import math
from dataclasses import dataclass

import tensorflow as tf

from tl_keras.data.pipeline.stateless_random import StatelessSeeds
from tl_keras.errors import unknown_name


@dataclass(frozen=True)
class BoxPreset:
    """What happens to each image.

    Attributes:
        scale: the smallest and the largest factor that the image is enlarged by; what then is too much is cropped at
            a random place, what is missing is grey.
        colour: the most by which brightness (as a part of the range), contrast and saturation change.
        mosaic: the probability that an image becomes one of four parts of a mosaic of images of its batch.
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

SMALLEST_SHARE = 0.25
"""A box stays while this part of its area is inside."""
_SMALLEST_SIDE = 2.0
_MOSAIC_SCALE, _MOSAIC_CENTER = (0.4, 1.0), (0.3, 0.7)
_GREY = 127.0


def augment_boxes(images, boxes, labels, preset, seed):
    """Augments a batch; for use in a `tf.data` map or eagerly. Every image is flipped with a probability of one half.

    Args:
        images: uint8 or float32 (batch, side, side, 3), RGB, 0 to 255.
        boxes: float32 (batch, max_boxes, 4), xyxy in pixels.
        labels: int32 (batch, max_boxes), -1 where there is no box.
        preset: a key of `BOX_AUGMENTATIONS`.
        seed: int32 or int64 (2,). The same seed gives the same result, whatever was drawn before.

    Returns:
        images: float32 of the same shape and range.
        boxes: float32 of the same shape, clipped to the images, first those that are there; zeros in the padding.
            Where a mosaic has more than max_boxes, the last ones are left out.
        labels: int32 of the same shape.

    Raises:
        InputError: the preset is unknown.
    """
    if preset not in BOX_AUGMENTATIONS:
        raise unknown_name("data.augmentation", preset, BOX_AUGMENTATIONS)
    preset, seeds = BOX_AUGMENTATIONS[preset], StatelessSeeds(seed)
    images, most = tf.cast(images, tf.float32), tf.shape(labels)[1]
    if preset.mosaic:
        images, boxes, labels = _mosaic(images, boxes, labels, preset, seeds)
    else:
        count, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
        window = tf.tile([[0.0, 0.0, side, side]], (count, 1))
        images, boxes, labels = _moved(images, boxes, labels, *_jitter(count, side, preset.scale, seeds), window)
    return (_recoloured(images, preset.colour, seeds), *_first_boxes(boxes, labels, most))


def _jitter(count, side, scale, seeds):
    """Draws for each image: by what it is enlarged, where its left and its top go, whether it is flipped."""
    factor = tf.exp(tf.random.stateless_uniform((count,), seeds.next(), *(math.log(bound) for bound in scale)))
    # The borders stay on one side of the picture's, so that nothing is cropped where something is missing.
    left, top = tf.unstack(tf.random.stateless_uniform((2, count), seeds.next()) * side * (1 - factor))
    return factor, left, top, tf.random.stateless_uniform((count,), seeds.next()) < 0.5


def _moved(images, boxes, labels, factor, left, top, flipped, window):
    """Enlarges images by a factor, puts their corner at (left, top), and keeps what is inside a window.

    All but images, boxes, labels are float32 (batch,), bool (batch,), and float32 (batch, 4) for the window.
    """
    side = tf.cast(tf.shape(images)[1], tf.float32)
    sign = tf.where(flipped, -1.0, 1.0)
    # Of an image flipped about its own middle, column x comes from side - 1 - x. Both count from pixel centres.
    zero, step = tf.zeros_like(factor), 1 / factor
    begin_x, begin_y = ((0.5 - corner) * step - 0.5 for corner in (left, top))
    begin_x = tf.where(flipped, side - 1 - begin_x, begin_x)
    transforms = tf.stack([sign * step, zero, begin_x, zero, step, begin_y, zero, zero], axis=1)
    pictures = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=_GREY,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    pictures = tf.ensure_shape(pictures, images.shape)
    low, high = boxes[..., 0], boxes[..., 2]
    low, high = tf.where(flipped[:, None], side - high, low), tf.where(flipped[:, None], side - low, high)
    corners = tf.stack([low, boxes[..., 1], high, boxes[..., 3]], axis=-1)
    corners = corners * factor[:, None, None] + tf.stack([left, top, left, top], axis=1)[:, None]
    return pictures, *_inside(corners, labels, window)


def _inside(boxes, labels, window):
    """Clips boxes to a window, float32 (batch, 4), and unlabels those of which too little is left."""
    low, high = tf.tile(window[:, None, :2], (1, 1, 2)), tf.tile(window[:, None, 2:], (1, 1, 2))
    clipped = tf.clip_by_value(boxes, low, high)
    sides, before = clipped[..., 2:] - clipped[..., :2], boxes[..., 2:] - boxes[..., :2]
    kept = tf.reduce_prod(sides, -1) >= SMALLEST_SHARE * tf.reduce_prod(before, -1)
    kept &= tf.reduce_min(sides, -1) >= _SMALLEST_SIDE
    return clipped, tf.where(kept, labels, -1)


def _mosaic(images, boxes, labels, preset, seeds):
    """Joins images with three others of the batch around a random point; boxes and labels are then four times."""
    count, side = tf.shape(images)[0], tf.cast(tf.shape(images)[1], tf.float32)
    is_mosaic = tf.random.stateless_uniform((count,), seeds.next()) < preset.mosaic
    # The others are their own first part alone, which reaches to the lower right corner.
    center = tf.random.stateless_uniform((2, count), seeds.next(), *_MOSAIC_CENTER)
    center_x, center_y = tf.unstack(tf.where(is_mosaic, center, 1.0) * side)
    zero, end = tf.zeros_like(center_x), tf.fill((count,), side)
    alone = _jitter(count, side, preset.scale, seeds)
    result, parts = tf.zeros_like(images), []
    for number in range(4):
        factor, _, _, flipped = _jitter(count, side, _MOSAIC_SCALE, seeds)
        # The corner of each part that is nearest to the point lies on it.
        at_left, at_top = number % 2 == 0, number < 2
        left, top = center_x - side * factor * at_left, center_y - side * factor * at_top
        placement = (factor, left, top, flipped)
        if number == 0:
            placement = [tf.where(is_mosaic, one, other) for one, other in zip(placement, alone, strict=True)]
        first_x, last_x = (zero, center_x) if at_left else (center_x, end)
        first_y, last_y = (zero, center_y) if at_top else (center_y, end)
        window = tf.stack([first_x, first_y, last_x, last_y], axis=1)
        others = (tf.range(count) + _shift(number, count, seeds)) % count
        picture, *part = _moved(*(tf.gather(source, others) for source in (images, boxes, labels)), *placement, window)
        result = tf.where(_mask(window, side), picture, result)
        parts.append(part)
    return result, *(tf.concat(column, 1) for column in zip(*parts, strict=True))


def _shift(number, count, seeds):
    """Returns how far away in the batch the image of a part is: 0 for the first part."""
    shift = tf.random.stateless_uniform((), seeds.next(), 1, tf.maximum(count, 2), tf.int32)
    return shift if number else tf.zeros_like(shift)


def _mask(window, side):
    """Returns bool (batch, side, side, 1): which pixels have their centre in a window, float32 (batch, 4)."""
    centers = tf.range(side) + 0.5
    left, top, right, bottom = tf.split(window, 4, axis=1)
    columns, rows = (centers >= left) & (centers < right), (centers >= top) & (centers < bottom)
    return (rows[:, :, None] & columns[:, None, :])[..., None]


def _recoloured(images, strength, seeds):
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


def _first_boxes(boxes, labels, most):
    """Moves what is a box to the front and cuts the rest off."""
    order = tf.argsort(tf.cast(labels < 0, tf.int32), axis=1, stable=True)[:, :most]
    labels = tf.gather(labels, order, batch_dims=1)
    boxes = tf.where((labels >= 0)[..., None], tf.gather(boxes, order, batch_dims=1), 0.0)
    return boxes, labels
