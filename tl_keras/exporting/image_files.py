"""Decoding of image files by TensorFlow operations, for exports that take the content of files."""

import functools

import tensorflow as tf

from tl_keras.data.images.resizing import PAD, STRETCH

EXIF_BYTES = 4096
"""Length of the start of a JPEG that holds its orientation."""
ORIENTATIONS = (
    r"^\C*?Exif\x00\x00II\C*?\x12\x01\x03\x00\x01\x00\x00\x00([\x01-\x08])\x00\C*$",
    r"^\C*?Exif\x00\x00MM\C*?\x01\x12\x00\x03\x00\x00\x00\x01\x00([\x01-\x08])\C*$",
)
"""EXIF in the byte orders of Intel and Motorola, with the tag of the orientation; \\C is one byte."""
TURNS = (
    lambda image: image,
    tf.image.flip_left_right,
    lambda image: tf.image.rot90(image, 2),
    tf.image.flip_up_down,
    tf.image.transpose,
    lambda image: tf.image.rot90(image, 3),
    lambda image: tf.image.rot90(tf.image.transpose(image), 2),
    tf.image.rot90,
)
"""Functions that turn an image of EXIF orientation 1 to 8 upright."""


def decode_image(content, side, resize):
    """Decodes an image file as training does, upright, with white where a PNG is transparent; a transparent GIF is not.

    Args:
        content: string tensor (), the content of a JPEG, PNG, GIF or BMP file.
        side: height and width of the result in pixels.
        resize: one of `RESIZES`.

    Returns:
        float32 tensor (side, side, 3), RGB, 0 to 255, whole numbers.
    """
    image = _on_white(content)
    if resize == STRETCH:
        resized = tf.image.resize(image, (side, side), antialias=True)
    elif resize == PAD:
        resized = _padded(image, side)
    else:
        resized = _cropped(image, side)
    return tf.ensure_shape(tf.clip_by_value(tf.round(resized), 0, 255), (side, side, 3))


def _on_white(content):
    decoded = tf.cond(
        tf.io.is_jpeg(content),
        lambda: _upright_jpeg(content),
        lambda: tf.io.decode_image(content, expand_animations=False),
    )
    image, channels = tf.cast(decoded, tf.float32), tf.shape(decoded)[-1]
    color = tf.cond(channels < 3, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3])
    # Pillow ignores the fourth channel of BMPs.
    is_opaque = (channels % 2 == 1) | (tf.strings.substr(content, 0, 2) == "BM")
    alpha = tf.cond(is_opaque, lambda: tf.ones_like(image[..., :1]), lambda: image[..., -1:] / 255)
    return tf.round(255 - alpha * (255 - color))


def _upright_jpeg(content):
    image = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
    orientation = _orientation(tf.strings.substr(content, 0, EXIF_BYTES))
    return tf.switch_case(orientation - 1, [functools.partial(turn, image) for turn in TURNS])


def _orientation(header):
    for pattern in ORIENTATIONS:
        # A header without the pattern stays as it is.
        header = tf.strings.regex_replace(header, pattern, r"\1")
    is_found = tf.strings.length(header) == 1
    return tf.cond(is_found, lambda: tf.cast(tf.io.decode_raw(header, tf.uint8)[0], tf.int32), lambda: tf.constant(1))


def _padded(image, side):
    """Adds white borders; the sizes are rounded as Pillow rounds them."""
    shape = tf.cast(tf.shape(image)[:2], tf.float64)
    size = tf.cast(tf.round(shape / tf.reduce_max(shape) * side), tf.int32)
    resized = tf.image.resize(image, tf.maximum(size, 1), antialias=True)
    start = tf.cast(tf.round((side - size) / 2), tf.int32)
    return 255 - tf.image.pad_to_bounding_box(255 - resized, start[0], start[1], side, side)


def _cropped(image, side):
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    shorter = tf.minimum(height, width)
    image = tf.image.crop_to_bounding_box(image, (height - shorter) // 2, (width - shorter) // 2, shorter, shorter)
    return tf.image.resize(image, (side, side), antialias=True)
