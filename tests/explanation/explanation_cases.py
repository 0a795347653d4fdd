"""Explanations without a model behind them."""

import numpy as np

from tl_keras.explanation.explanations import ImageExplanation, TextExplanation

HEAT = np.array([[0.0, 0.2], [0.5, 1.0]], "float32")


def image_explanation(class_name="cat"):
    image = np.full((16, 16, 3), 200, "uint8")
    return ImageExplanation("cat", 0.9, class_name, 0.9 if class_name == "cat" else 0.1, image, HEAT, "Grad-CAM")


def text_explanation(gap=0.001):
    words = [("a", 0.01), ("<b>bold</b>", 0.3), ("dull", -0.11)]
    return TextExplanation("good", 0.7, "good", 0.7, words, 0.5, gap, gap <= 0.01)
