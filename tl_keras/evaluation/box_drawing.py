"""Drawing of detections into an image, which is enlarged if it is too small for their names."""

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tl_keras.evaluation.figures import BLUE, shorten
from tl_keras.evaluation.fonts import font_file, shown_names

MIN_SIDE = 320
"""Pixels; an image with a shorter side below it is enlarged by a whole factor, so that names fit and are legible."""
MIN_FONT_SIZE, FONT_SHARE = 12, 0.025
"""Font size in pixels: a share of the shorter side of the image, but at least the minimum."""
MAX_NAME_LENGTH = 28


def draw_objects(image, objects, class_names):
    """Draws boxes with their class names and scores.

    Args:
        image: uint8 (height, width, 3), RGB.
        objects: list of (class name, score from 0 to 1, box), the most confident first; a box is left, top, right,
            bottom in pixels.
        class_names: sequence of all class names, which determine the colours. Names that no installed font can draw
            are replaced by numbers, see `drawable_names`.

    Returns:
        uint8, a copy; of the same shape, or a multiple of it if the image is small.
    """
    factor = -(-MIN_SIDE // min(image.shape[:2])) if objects else 1
    drawing = Image.fromarray(image)
    drawing = drawing.resize((factor * drawing.width, factor * drawing.height), Image.Resampling.NEAREST)
    canvas, size = ImageDraw.Draw(drawing), max(MIN_FONT_SIZE, FONT_SHARE * min(drawing.size))
    shown = shown_names(class_names)
    for name, score, box in reversed(objects):
        colour = _colour(list(class_names).index(name))
        text = f"{shorten(shown[name], MAX_NAME_LENGTH)} {100 * score:.0f} %"
        _draw_object(canvas, [factor * side for side in box], text, colour, size)
    return np.asarray(drawing)


def outline(image, box):
    """Draws a box without a name, for small copies of images.

    Args:
        image: uint8 (height, width, 3), RGB.
        box: left, top, right, bottom in pixels.

    Returns:
        uint8 (height, width, 3), a copy.
    """
    drawing = Image.fromarray(image)
    width = max(1, round(min(drawing.size) / 64))
    ImageDraw.Draw(drawing).rectangle(list(map(float, box)), outline=BLUE, width=width)
    return np.asarray(drawing)


def _draw_object(canvas, box, text, colour, size):
    """Draws a box, and its text above it, moved to stay inside the image."""
    line = max(2, round(size / 8))
    canvas.rectangle(box, outline=colour, width=line)
    font = ImageFont.truetype(font_file(text), size)
    _, _, right, bottom = canvas.textbbox((0, 0), text, font=font)
    width, height = right + line, bottom + line
    x = max(0, min(box[0], canvas.im.size[0] - width))
    y = min(max(0, box[1] - height), max(0, canvas.im.size[1] - height))
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + line / 2, y), text, fill="white", font=font)


def _colour(number):
    palette = matplotlib.colormaps["tab20"]
    # Every second colour is a pale version of the one before.
    return tuple(int(255 * part) for part in palette(2 * number % palette.N)[:3])
