"""Encoding of images as PNG files in memory."""

import io


def encode_png(image):
    """Encodes an image as PNG, with little compression for speed.

    Args:
        image: `PIL.Image.Image`.

    Returns:
        bytes.
    """
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
