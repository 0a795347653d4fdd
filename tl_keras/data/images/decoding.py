"""Decoding of image files of all common formats to upright RGB arrays of one size."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from tl_keras.data.images.decoding_limits import IN_FLIGHT, check_scans
from tl_keras.data.images.pixel_digests import pixel_digest
from tl_keras.data.images.resizing import RESIZES, STRETCH, resize_to_square
from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.system.stored.files import refuse_sparse

MAX_MEGAPIXELS = 100

# Pillow supports three dozen more and goes by the content; for PostScript it would run Ghostscript.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")

_SIXTEEN_BIT = frozenset(("I", "I;16", "I;16L", "I;16B", "I;16N"))

DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError),
    *(RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""Exceptions that Pillow's decoders raise for damaged files."""


class BadImage(InputError):
    """Reports an image that cannot be used.

    Attributes:
        reason: the reason, without the name of the file.
    """

    def __init__(self, name, reason):
        """Builds the message from the name of the file and the reason."""
        super().__init__(f"Cannot use the image {name}: {reason}; replace or remove it.")
        self.reason = reason


def read_image(source, image_size, resize=STRETCH):
    """Decodes an image, applies its EXIF orientation and resizes it.

    The format is JPEG, PNG, GIF, WebP, TIFF, BMP or AVIF, recognised by the content. Animations give their first frame.
    Grey, palette and CMYK become RGB, 16 bits are scaled to 8, and transparent parts become white. JPEGs that are
    much larger than needed are decoded at a fraction of their size.

    Args:
        source: path of the file, or its content as bytes.
        image_size: height and width of the result in pixels.
        resize: one of `RESIZES`.

    Returns:
        uint8 (image_size, image_size, 3), RGB.

    Raises:
        BadImage: the file is missing, unreadable, empty, no image, truncated, damaged, or over `MAX_MEGAPIXELS` by its
            header.
        InputError: `resize` is unknown.
    """
    return _read_square(source, image_size, resize, _to_square)


def read_digested(source, image_size, resize=STRETCH):
    """Reads an image as `read_image` does, and digests its pixels on the way.

    Args:
        source: path of the file, or its content as bytes.
        image_size: height and width of the result in pixels.
        resize: one of `RESIZES`.

    Returns:
        Tuple of the image, uint8 (image_size, image_size, 3), and its `pixel_digest`.

    Raises:
        BadImage: as in `read_image`.
        InputError: `resize` is unknown.
    """

    def digested(upright, image_size, resize):
        return _to_square(upright, image_size, resize), pixel_digest(upright, image_size)

    return _read_square(source, image_size, resize, digested)


def read_upright(source):
    """Decodes an image at its own size and applies its EXIF orientation, as `read_image` does.

    Args:
        source: path of the file, or its content as bytes.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        BadImage: as in `read_image`.
    """
    return _read(source, lambda image: np.asarray(upright_rgb(image)))


def resize_image(image, image_size, resize=STRETCH):
    """Resizes a decoded image as `read_image` resizes files.

    Args:
        image: uint8 (height, width, 3), RGB.
        image_size: height and width of the result in pixels.
        resize: one of `RESIZES`.

    Returns:
        uint8 (image_size, image_size, 3).
    """
    return np.asarray(resize_to_square(Image.fromarray(image), image_size, resize))


def open_image(source):
    """Opens an image without decoding it.

    Args:
        source: path of the file, or its content as bytes.

    Returns:
        `PIL.Image.Image` of one of the `FORMATS`, for use in a `with` statement.

    Raises:
        OSError: the file cannot be read, or is no regular file (opening a pipe would block).
    """
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source), formats=FORMATS)
    _require_file(source)
    refuse_sparse(source)
    return Image.open(source, formats=FORMATS)


def check_image_file(path):
    """Refuses a path that is no file, where a folder would stand for the images in it.

    Args:
        path: path of an image.

    Raises:
        BadImage: it is missing, or is no regular file.
    """
    try:
        _require_file(path)
    except OSError as error:
        raise BadImage(str(path), _reason(path, error)) from error


def _require_file(path):
    if not os.path.isfile(path):
        # Raises the error of a missing or inaccessible path.
        os.stat(path)
        raise OSError("no regular file")


def _read_square(source, image_size, resize, use):
    """Decodes a file for a square of the given size and returns what `use` makes of the upright image."""
    if resize not in RESIZES:
        raise unknown_name("data.resize", resize, RESIZES)
    # Twice the size, so that the final step is a real resampling.
    draft_size = (2 * image_size, 2 * image_size)
    return _read(source, lambda image: use(upright_rgb(image), image_size, resize), draft_size)


def _read(source, decode, draft_size=None):
    name = f"of {counted(len(source), 'byte')}" if isinstance(source, bytes) else str(source)
    try:
        with open_image(source) as image:
            if image.width * image.height > MAX_MEGAPIXELS * 1_000_000:
                raise Image.DecompressionBombError(f"{image.width} x {image.height}")
            check_scans(image)
            # A progressive JPEG takes the memory of its own size, even if it is decoded at a fraction of it.
            is_reduced = draft_size and image.format == "JPEG" and "progressive" not in image.info
            if draft_size:
                own_size = image.size
                image.draft("RGB", draft_size)
            width, height = image.size if is_reduced or not draft_size else own_size
            with IN_FLIGHT.hold(width * height):
                return decode(image)
    except DAMAGE as error:
        raise BadImage(name, _reason(source, error)) from error


def _to_square(upright, image_size, resize):
    return np.asarray(resize_to_square(upright, image_size, resize))


def upright_rgb(image):
    """Converts an open Pillow image to upright RGB: transparent parts become white, 16 bits are scaled to 8.

    Args:
        image: `PIL.Image.Image`. It is changed.

    Returns:
        `PIL.Image.Image`.

    Raises:
        ValueError: the range of its pixels is unknown.
    """
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in _SIXTEEN_BIT:
        return _from_sixteen_bit(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is unknown (save it with 8 or 16 bits)")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _from_sixteen_bit(image):
    """Scales 0..65535 to 0..255; Pillow's own conversion would clip at 255."""
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("pixels of 32 bits, whose range is unknown (save it with 8 or 16 bits)")
    # Look-up table, because 100 megapixels in floating point would take gigabytes.
    eight_bit = (np.arange(65536) / 257).round().astype(np.uint8)
    return Image.fromarray(eight_bit[pixels]).convert("RGB")


def _reason(source, error):
    if isinstance(error, FileNotFoundError):
        return "a link that leads nowhere" if os.path.islink(source) else "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if not isinstance(source, bytes) and not os.path.isfile(source):
        return "not a file" if os.path.exists(source) else "a link that leads nowhere"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_MEGAPIXELS} megapixels"
    if _is_empty(source):
        return "the file is empty (0 bytes)"
    if isinstance(error, Image.UnidentifiedImageError):
        if not isinstance(source, bytes) and str(source).lower().endswith((".heic", ".heif", ".jxl")):
            return "a format that cannot be read: convert it to JPEG"
        return "not an image that can be recognised"
    if "truncated" in str(error).lower():
        return "truncated: the file ends too early"
    return f"damaged: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}"


def _is_empty(source):
    if isinstance(source, bytes):
        return not source
    try:
        with open(source, "rb") as file:
            return not file.read(1)
    except OSError:
        return False
