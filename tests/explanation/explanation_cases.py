"""Explanations without a model behind them."""

import numpy as np

from tl_keras.explanation.detections import DetectionExplanation, ExplainedDetection
from tl_keras.explanation.explanations import ImageExplanation, TextExplanation

HEAT = np.array([[0.0, 0.2], [0.5, 1.0]], "float32")


def image_explanation(class_name="cat"):
    image = np.full((16, 16, 3), 200, "uint8")
    return ImageExplanation("cat", 0.9, class_name, 0.9 if class_name == "cat" else 0.1, image, HEAT, "Grad-CAM")


def detection_explanation(count=2):
    image = np.full((16, 16, 3), 200, "uint8")
    found = [ExplainedDetection("cat", 0.9 - 0.1 * row, [0, 0, 32, 16], [0, 0, 16, 8], HEAT) for row in range(count)]
    return DetectionExplanation(image, found)


def text_explanation(gap=0.001):
    words = [("a", 0.01), ("<b>bold</b>", 0.3), ("dull", -0.11)]
    return TextExplanation("good", 0.7, "good", 0.7, words, 0.5, gap, gap <= 0.01)


def share_inside(heat, box, size=64):
    """Computes the share of a map whose cells have their centre inside a box."""
    centres = (np.arange(len(heat)) + 0.5) * size / len(heat)
    rows, columns = ((centres > box[one]) & (centres < box[one + 2]) for one in (1, 0))
    return heat[np.ix_(rows, columns)].sum() / heat.sum()
