"""Digests of decoded images, which recognise an image again under another name or in another file."""

import hashlib

PIXEL_DIGEST_BYTES = 16
PIXEL_DIGEST_VERSION = 3
"""Changes whenever equal images get other digests. Version 1 digested resized pixels, which depend on Pillow;
version 2 also the name of the resize."""

_ROWS = 256


def pixel_digest(image, image_size):
    """Digests the pixels of an image before it is resized, and the size that it is resized to.

    Decoders of different versions agree on every bit, which resizes do not. The size matters, because a large JPEG is
    decoded at a fraction of its own size, which depends on it.

    Args:
        image: `PIL.Image.Image`, upright RGB.
        image_size: side in pixels after the resize.

    Returns:
        BLAKE2b, bytes of length `PIXEL_DIGEST_BYTES`.
    """
    width, height = image.size
    header = f"{width} {height} {image_size} ".encode()
    hasher = hashlib.blake2b(header, digest_size=PIXEL_DIGEST_BYTES)
    # Strips, because a copy of 100 megapixels would take 300 MB.
    for top in range(0, height, _ROWS):
        hasher.update(image.crop((0, top, width, min(top + _ROWS, height))).tobytes())
    return hasher.digest()
