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
    shown, line, labels = shown_names(class_names), max(2, round(size / 8)), []
    for name, score, box in objects:
        text = f"{shorten(shown[name], MAX_NAME_LENGTH)} {100 * score:.0f} %"
        colour, box = _colour(list(class_names).index(name)), [factor * side for side in box]
        labels.append((box, colour, text, *_place(canvas, text, box, size, line, [label[-1] for label in labels])))
    # The most confident ones last, and no box over a name.
    for box, colour, *_ in reversed(labels):
        canvas.rectangle(box, outline=colour, width=line)
    for _, colour, text, font, place in reversed(labels):
        canvas.rectangle(place, fill=colour)
        canvas.text((place[0] + line / 2, place[1]), text, fill="white", font=font)
    return np.asarray(drawing)


def place_label(size, box, canvas, others):
    """Finds a place for the name of a box that covers other names least.

    Args:
        size: width and height of the name.
        box: left, top, right, bottom of the box, y downwards.
        canvas: left, top, right, bottom of the image, which the name stays in if it fits.
        others: list of the places of the other names.

    Returns:
        left, top, right, bottom, a tuple: above the box, below it or at its inner edges, in this order.
    """
    (width, height), (left, top, right, bottom) = size, box
    corners = [(x, y) for y in (top - height, bottom, top, bottom - height) for x in (left, right - width)]
    places = []
    for x, y in corners:
        x = max(canvas[0], min(x, canvas[2] - width))
        y = max(canvas[1], min(y, canvas[3] - height))
        places.append((x, y, x + width, y + height))
    return min(places, key=lambda place: sum(_common_area(place, other) for other in others))


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


def _place(canvas, text, box, size, line, others):
    """Returns the font of a name, and its place beside its box."""
    font = ImageFont.truetype(font_file(text), size)
    _, _, right, bottom = canvas.textbbox((0, 0), text, font=font)
    return font, place_label((right + line, bottom + line), box, (0, 0, *canvas.im.size), others)


def _common_area(one, other):
    width, height = (min(one[side + 2], other[side + 2]) - max(one[side], other[side]) for side in (0, 1))
    return max(0, width) * max(0, height)


def _colour(number):
    palette = matplotlib.colormaps["tab20"]
    # Every second colour is a pale version of the one before.
    return tuple(int(255 * part) for part in palette(2 * number % palette.N)[:3])
