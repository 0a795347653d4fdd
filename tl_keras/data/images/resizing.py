"""Resizing of images to squares: the names of the ways, and what each computes."""

from typing import Literal, get_args

from PIL import Image, ImageOps

Resize = Literal["stretch", "crop", "pad"]
"""Name of a resize: "stretch" ignores the aspect ratio, "crop" cuts both ends of the longer side, "pad" adds white
borders."""
RESIZES = STRETCH, CROP, PAD = get_args(Resize)
RESIZE_CALLS = {
    STRETCH: "image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)",
    CROP: "ImageOps.fit(image, size, Image.Resampling.BILINEAR)",
    PAD: 'ImageOps.pad(image, size, Image.Resampling.BILINEAR, color="white")',
}
"""Pillow call of each resize, for programs that read images without this package."""


def resize_to_square(image, side, resize):
    """Resizes an image with bilinear interpolation.

    Args:
        image: `PIL.Image.Image`, RGB.
        side: height and width of the result in pixels.
        resize: one of `RESIZES`.

    Returns:
        `PIL.Image.Image`.
    """
    size, bilinear = (side, side), Image.Resampling.BILINEAR
    if resize == CROP:
        return ImageOps.fit(image, size, bilinear)
    if resize == PAD:
        return ImageOps.pad(image, size, bilinear, color="white")
    return image.resize(size, bilinear, reducing_gap=2.0)
