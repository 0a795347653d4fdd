"""Explanations of the predictions of image and text classifiers."""

from dataclasses import dataclass

import numpy as np

from tl_keras.explanation.class_maps import class_maps
from tl_keras.explanation.token_embeddings import TOKENIZER, attribute_tokens
from tl_keras.explanation.words import BEGINS, BEGINS_BYTES, CONTINUES, join_words


@dataclass(frozen=True)
class Explanation:
    """Holds a prediction and the class that is explained."""

    predicted: str
    """Name of the most probable class."""
    probability: float
    """Its probability."""
    class_name: str
    """Name of the class that is explained."""
    class_probability: float
    """The probability of that class."""


@dataclass(frozen=True)
class ImageExplanation(Explanation):
    """Holds the parts of an image that raise the score of a class."""

    image: np.ndarray
    """uint8 (side, side, 3), RGB, as the network takes it."""
    heat_map: np.ndarray
    """float32 (height, width) on the grid of the last feature map or of the patches, 0 to 1 at its maximum; all 0 if
    nothing raises the score of the class."""
    method: str
    """Name of the method, see `class_maps`."""


@dataclass(frozen=True)
class TextExplanation(Explanation):
    """Holds the integrated gradients of a text."""

    method = "integrated gradients"

    words: list
    """(word, attribution) in the order of the text, as the tokenizer reads it. The attributions sum to
    `class_probability` less `baseline_probability`."""
    baseline_probability: float
    """Probability of the class for a text of padding."""
    gap: float
    """Error of that sum, as a share of the difference."""
    is_complete: bool
    """Whether the error is at most 1 %."""

    @property
    def warnings(self):
        """Sentences on attributions that are not complete, a list."""
        if self.is_complete:
            return []
        return [
            f"Warning: the attributions miss the difference of the probabilities by {self.gap:.1%} (more than 1 %): "
            "take them as a rough guide."
        ]


def explain_images(model, images, probabilities, class_names, number=None):
    """Explains predictions of images by `class_maps`.

    Args:
        model: image classifier.
        images: uint8 (n, side, side, 3), RGB.
        probabilities: float32 (n, num_classes), predictions of the model.
        class_names: names of the classes.
        number: index of the class to explain; None takes the predicted class of each image.

    Returns:
        List of n `ImageExplanation`.
    """
    numbers = probabilities.argmax(1) if number is None else np.full(len(images), number)
    maps, method = class_maps(model, images, numbers)
    maps = maps / np.maximum(maps.max((1, 2), keepdims=True), np.finfo("float32").tiny)
    return [
        ImageExplanation(*_classes(row, one, class_names), image, heat_map, method)
        for row, one, image, heat_map in zip(probabilities, numbers, images, maps, strict=True)
    ]


def explain_text(model, text, probabilities, class_names, number=None):
    """Explains the prediction of a text by integrated gradients.

    Args:
        model: text classifier over strings.
        text: str, or for pairs a dict of two str, as the model takes them.
        probabilities: float32 (num_classes,), prediction of the model.
        class_names: names of the classes.
        number: index of the class to explain; None takes the predicted class.

    Returns:
        `TextExplanation`.
    """
    number = int(probabilities.argmax()) if number is None else number
    tokenizer = model.get_layer(TOKENIZER)
    found = attribute_tokens(model, text, number)
    tokens = [tokenizer.id_to_token(int(one)) for one in found.ids]
    words = join_words(tokens, found.is_first, found.values, _mark(tokenizer))
    whole = found.attributions
    return TextExplanation(
        *_classes(probabilities, number, class_names), words, whole.baseline_output, whole.gap, whole.is_complete
    )


def _classes(probabilities, number, class_names):
    predicted = int(probabilities.argmax())
    chosen = [(class_names[one], float(probabilities[one])) for one in (predicted, number)]
    return [value for pair in chosen for value in pair]


def _mark(tokenizer):
    if hasattr(tokenizer, "proto"):
        return BEGINS
    return BEGINS_BYTES if hasattr(tokenizer, "merges") else CONTINUES
