"""Image sizes, read from the headers of the files."""

import numpy as np
from PIL import ExifTags

from tl_keras.data.images.decoding import DAMAGE, open_image
from tl_keras.system.spreading import spread_rows

MAX_MEASURED = 200


def typical_side(sources):
    """Computes the median of the shorter sides of images, without decoding them.

    Args:
        sources: list of paths or encoded images (bytes).

    Returns:
        int, the median in pixels over up to `MAX_MEASURED` images, evenly spaced in the list; 0 if none can be opened.
    """
    rows = spread_rows(sources, MAX_MEASURED)
    sizes = [size for row in rows if (size := upright_size(sources[row]))]
    return int(np.median([min(size) for size in sizes])) if sizes else 0


def upright_size(source):
    """Reads the size of an image after its EXIF orientation, without decoding it.

    Args:
        source: path or encoded image (bytes).

    Returns:
        (height, width) in pixels; None if the image cannot be opened.
    """
    try:
        with open_image(source) as image:
            is_turned = image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8)
            return (image.width, image.height) if is_turned else (image.height, image.width)
    except DAMAGE:
        return None
