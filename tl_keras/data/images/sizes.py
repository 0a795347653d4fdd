"""How large the pictures of a data set are, read from their headers."""

import numpy as np
from PIL import ExifTags

from tl_keras.data.images.decoding import DAMAGE, open_image

MAX_MEASURED = 200


def typical_side(sources):
    """Measures the shorter side of the pictures, without decoding any.

    Args:
        sources: list of paths or encoded images (bytes).

    Returns:
        Median over up to `MAX_MEASURED` of them, evenly spread, in pixels; 0 where none can be opened.
    """
    chosen = np.linspace(0, len(sources) - 1, min(len(sources), MAX_MEASURED)).astype(int)
    sides = [side for index in chosen if (side := _shorter_side(sources[index]))]
    return int(np.median(sides)) if sides else 0


def upright_size(source):
    """Measures one picture as it is after its EXIF orientation has been applied, without decoding it.

    Args:
        source: path or encoded image (bytes).

    Returns:
        (height, width) in pixels; None where it cannot be opened.
    """
    try:
        with open_image(source) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
            return (image.width, image.height) if turned else (image.height, image.width)
    except DAMAGE:
        return None


def _shorter_side(source):
    size = upright_size(source)
    return min(size) if size else 0
