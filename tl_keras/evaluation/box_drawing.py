"""Drawing of detections into an image at its full size."""

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

MIN_FONT_SIZE, FONT_SHARE = 11, 0.022
"""Font size in pixels: a share of the shorter side of the image, but at least the minimum."""


def draw_objects(image, objects, class_names):
    """Draws boxes with their class names and scores.

    Args:
        image: uint8 (height, width, 3), RGB.
        objects: list of (class name, score from 0 to 1, box), the most confident first; a box is left, top, right,
            bottom in pixels.
        class_names: sequence of all class names, which determine the colours.

    Returns:
        uint8 of the same shape, a copy.
    """
    drawing = Image.fromarray(image)
    canvas, side = ImageDraw.Draw(drawing), min(drawing.size)
    size = max(MIN_FONT_SIZE, FONT_SHARE * side)
    # matplotlib's font, because Pillow's default has Latin letters only.
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
    line = max(2, round(size / 8))
    for name, score, box in reversed(objects):
        colour = _colour(list(class_names).index(name))
        canvas.rectangle(list(box), outline=colour, width=line)
        text = f"{name} {100 * score:.0f} %"
        left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
        corner = (box[0], max(0, box[1] - bottom - line))
        canvas.rectangle((*corner, corner[0] + right + line, corner[1] + bottom + line), fill=colour)
        canvas.text((corner[0] + line / 2, corner[1]), text, fill="white", font=font)
    return np.asarray(drawing)


def _colour(number):
    palette = matplotlib.colormaps["tab20"]
    # Every second colour is a pale version of the one before.
    return tuple(int(255 * part) for part in palette(2 * number % palette.N)[:3])
