"""Plot of a Grad-CAM: the image beside its heat map."""

import matplotlib
import numpy as np
from PIL import Image

from tl_keras.evaluation.figures import INK, add_image, saved_figure, shorten, write_below
from tl_keras.evaluation.fonts import drawable_text

SIDE, MARGIN = 2.8, 0.15
"""Inches."""
COLOURS, MAX_OPACITY, PALENESS = "YlOrRd", 0.7, 0.4


def plot_heat_map(explanation, path):
    """Draws the image beside the image under its heat map, with the class and its probability.

    Args:
        explanation: `ImageExplanation`.
        path: the PNG file to write.
    """
    with saved_figure(path, 2 * SIDE + 3 * MARGIN, SIDE + 0.45) as figure:
        left = add_image(figure, explanation.image, MARGIN, MARGIN, SIDE)
        add_image(figure, overlay(explanation.image, explanation.heat_map), 2 * MARGIN + SIDE, MARGIN, SIDE)
        write_below(left, drawable_text(caption(explanation)), color=INK, font_size=9)


def caption(explanation):
    """Returns a line such as "face 0.981", or "face 0.981, explained: hand 0.012".

    Args:
        explanation: `Explanation`.
    """
    predicted = f"{shorten(explanation.predicted, 40)} {explanation.probability:.3f}"
    if explanation.class_name == explanation.predicted:
        return predicted
    return f"{predicted}, explained: {shorten(explanation.class_name, 40)} {explanation.class_probability:.3f}"


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
