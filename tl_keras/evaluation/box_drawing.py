"""Draws found objects into a picture at its full size."""

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SMALLEST_FONT, FONT_SHARE = 11, 0.022
"""Pixels, and the part of the shorter side of the picture that a line of text is high."""


def draw_objects(image, objects, class_names):
    """Draws boxes with their class and score.

    Args:
        image: uint8 (height, width, 3), RGB.
        objects: list of (class name, score from 0 to 1, box), the surest first; a box is left, top, right, bottom in
            pixels.
        class_names: sequence of all names: each has a colour of its own.

    Returns:
        uint8 of the same shape.
    """
    picture = Image.fromarray(image)
    canvas, side = ImageDraw.Draw(picture), min(picture.size)
    size = max(SMALLEST_FONT, FONT_SHARE * side)
    font, line = _font(size), max(2, round(size / 8))
    for name, score, box in reversed(objects):
        colour = _colour(list(class_names).index(name))
        canvas.rectangle(list(box), outline=colour, width=line)
        text = f"{name} {100 * score:.0f} %"
        left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
        corner = (box[0], max(0, box[1] - bottom - line))
        canvas.rectangle((*corner, corner[0] + right + line, corner[1] + bottom + line), fill=colour)
        canvas.text((corner[0] + line / 2, corner[1]), text, fill="white", font=font)
    return np.asarray(picture)


def _font(size):
    # The one that matplotlib brings: Pillow's own knows Latin letters only.
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)


def _colour(number):
    palette = matplotlib.colormaps["tab20"]
    # Every second one is the pale twin of the one before.
    return tuple(int(255 * part) for part in palette(2 * number % palette.N)[:3])
