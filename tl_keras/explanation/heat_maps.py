"""Plot of heat maps: the image beside the same image under each map."""

import matplotlib
import numpy as np
from matplotlib.patches import Rectangle
from PIL import Image

from tl_keras.evaluation.figures import BLUE, INK, add_image, saved_figure, shorten, write_below
from tl_keras.evaluation.fonts import drawable_text
from tl_keras.explanation.detections import DetectionExplanation

SIDE, MARGIN, LINE = 2.8, 0.15, 0.3
"""Inches; a line of text below each panel."""
COLUMNS = 4
"""Maximum panels beside each other."""
COLOURS, MAX_OPACITY, PALENESS = "YlOrRd", 0.7, 0.4
MAX_NAME = 40


def plot_heat_map(explanation, path):
    """Draws the image beside the image under each of its heat maps, with class and probability or score.

    Args:
        explanation: `ImageExplanation` or `DetectionExplanation`.
        path: the PNG file to write.
    """
    panels = _panels(explanation)
    columns = min(len(panels), COLUMNS)
    rows, height = -(-len(panels) // columns), SIDE + LINE + MARGIN
    with saved_figure(path, columns * (SIDE + MARGIN) + MARGIN, rows * height) as figure:
        for number, (image, text, boxes) in enumerate(panels):
            row, column = divmod(number, columns)
            axes = add_image(figure, image, MARGIN + column * (SIDE + MARGIN), MARGIN + row * height, SIDE)
            write_below(axes, drawable_text(text), color=INK, font_size=9)
            for left, top, right, bottom in boxes:
                axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=BLUE, lw=1.5))


def _panels(explanation):
    """Lists the image, the text and the boxes of each panel."""
    image = explanation.image
    if not isinstance(explanation, DetectionExplanation):
        return [(image, caption(explanation), []), (overlay(image, explanation.heat_map), "", [])]
    found = explanation.detections
    first = image, "" if found else caption(explanation), [one.box_in_image for one in found]
    return [first, *((overlay(image, one.heat_map), _named(one), [one.box_in_image]) for one in found)]


def caption(explanation):
    """Returns a line such as "face 0.981", or "face 0.981, explained: hand 0.012", or all detections of an image.

    Args:
        explanation: `Explanation` or `DetectionExplanation`.
    """
    if isinstance(explanation, DetectionExplanation):
        return ", ".join(map(_named, explanation.detections)) or "no detection"
    predicted = f"{shorten(explanation.predicted, MAX_NAME)} {explanation.probability:.3f}"
    if explanation.class_name == explanation.predicted:
        return predicted
    return f"{predicted}, explained: {shorten(explanation.class_name, MAX_NAME)} {explanation.class_probability:.3f}"


def _named(detection):
    return f"{shorten(detection.class_name, MAX_NAME)} {detection.score:.3f}"


def overlay(image, heat_map):
    """Merges a pale grey copy of an image with a heat map, more where it is hotter.

    Args:
        image: uint8 (side, side, 3), RGB.
        heat_map: float32 (height, width), 0 to 1.

    Returns:
        uint8 (side, side, 3).
    """
    size = image.shape[1], image.shape[0]
    heat = np.asarray(Image.fromarray(heat_map.astype("float32")).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)
    colours = matplotlib.colormaps[COLOURS](heat)[..., :3] * 255
    grey = np.asarray(Image.fromarray(image).convert("L"), "float32")[..., None]
    pale, opacity = 255 * PALENESS + grey * (1 - PALENESS), MAX_OPACITY * heat[..., None]
    return (pale * (1 - opacity) + colours * opacity).astype("uint8")
