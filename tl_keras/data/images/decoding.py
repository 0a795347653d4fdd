"""One image file to one array: every common format, upright, RGB, one size."""

import functools
import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from tl_keras.errors import InputError, unknown_name

RESIZES = ("squash", "crop", "pad")
MAX_MEGAPIXELS = 100

# Pillow knows three dozen more, one of which would call Ghostscript, whatever a file of another name holds.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")

_SIXTEEN_BIT = frozenset(("I", "I;16", "I;16L", "I;16B", "I;16N"))

DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError),
    *(RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow's decoders raise on damaged files, each in its own way."""


class BadImage(InputError):
    """An image cannot be used.

    Attributes:
        reason: why, without the name of the file.
    """

    def __init__(self, name, reason):
        """Makes the sentence from the name of the file and the reason."""
        super().__init__(f"Cannot use the image {name}: {reason}; replace or remove it.")
        self.reason = reason


def read_image(source, image_size, resize="squash"):
    """Reads, turns upright and resizes an image.

    Reads JPEG, PNG, GIF and WebP (of an animation the first frame), TIFF, BMP and AVIF, whatever the name says; grey,
    palette, CMYK; 16 bits scaled down to 8; what is transparent laid on white; the EXIF orientation applied. A JPEG
    that is much larger than needed is decoded at a fraction of its size.

    Args:
        source: path of the file, or its content as bytes.
        image_size: height and width of the result in pixels.
        resize: "squash" changes the proportions, "crop" cuts the longer side at both ends, "pad" adds white.

    Returns:
        uint8 (image_size, image_size, 3), RGB.

    Raises:
        BadImage: an `InputError` with the reason: missing, not to be read, empty, no image, truncated, damaged, over
            100 megapixels, which the header tells.
    """
    if resize not in RESIZES:
        raise unknown_name("data.resize", resize, RESIZES)
    return _read(source, functools.partial(_decode, image_size=image_size, resize=resize))


def read_upright(source):
    """Reads an image at its own size, as `read_image` does otherwise.

    Args:
        source: path of the file, or its content as bytes.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        BadImage: as in `read_image`.
    """
    return _read(source, lambda image: np.asarray(_upright_rgb(image)))


def resize_image(image, image_size, resize="squash"):
    """Resizes an image that is in memory, as `read_image` resizes files.

    Args:
        image: uint8 (height, width, 3), RGB.
        image_size: height and width of the result in pixels.
        resize: "squash", "crop" or "pad".

    Returns:
        uint8 (image_size, image_size, 3).
    """
    return np.asarray(_resized(Image.fromarray(image), (image_size, image_size), resize))


def open_image(source):
    """Opens an image without decoding it.

    Args:
        source: path of the file, or its content as bytes.

    Returns:
        `PIL.Image.Image` of one of the `FORMATS`, to be used in a `with`.

    Raises:
        OSError: it cannot be read, or is no regular file: opening a pipe would wait for ever.
    """
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source), formats=FORMATS)
    if not os.path.isfile(source):
        # Raises what is wrong with the path, where it is not only of another kind.
        os.stat(source)
        raise OSError("no regular file")
    return Image.open(source, formats=FORMATS)


def _read(source, decode):
    name = f"of {len(source)} bytes" if isinstance(source, bytes) else str(source)
    try:
        with open_image(source) as image:
            if image.width * image.height > MAX_MEGAPIXELS * 1_000_000:
                raise Image.DecompressionBombError(f"{image.width} x {image.height}")
            return decode(image)
    except DAMAGE as error:
        raise BadImage(name, _reason(source, error)) from error


def _decode(image, image_size, resize):
    # Twice the size, so that the last step down is a real resampling.
    image.draft("RGB", (2 * image_size, 2 * image_size))
    return np.asarray(_resized(_upright_rgb(image), (image_size, image_size), resize))


def _upright_rgb(image):
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
    """Scales 0 to 65535 down to 0 to 255, where Pillow's own conversion would clip at 255."""
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("pixels of 32 bits, whose range is unknown (save it with 8 or 16 bits)")
    # By a table: 100 megapixels as floating-point numbers would take gigabytes.
    eight_bit = (np.arange(65536) / 257).round().astype(np.uint8)
    return Image.fromarray(eight_bit[pixels]).convert("RGB")


def _resized(image, size, resize):
    bilinear = Image.Resampling.BILINEAR
    if resize == "crop":
        return ImageOps.fit(image, size, bilinear)
    if resize == "pad":
        return ImageOps.pad(image, size, bilinear, color="white")
    return image.resize(size, bilinear, reducing_gap=2.0)


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
    return f"damaged: {str(error) or type(error).__name__}"


def _is_empty(source):
    if isinstance(source, bytes):
        return not source
    try:
        with open(source, "rb") as file:
            return not file.read(1)
    except OSError:
        return False
