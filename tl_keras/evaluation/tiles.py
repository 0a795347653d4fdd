"""Examples as small images or texts with a caption, for pages."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tl_keras.evaluation.classification import THRESHOLD

SIDE = 144
"""Maximum width and height of an image in pixels: sharp at 96 pixels on most phones."""
MAX_CLASSES = 24
"""Classes whose examples are shown, those of the lowest recall first."""


@dataclass(frozen=True)
class Tile:
    """Holds an example as a page shows it."""

    lines: tuple[str, ...]
    """Caption; the first line is the most important one."""
    images: tuple[str, ...] = ()
    """Addresses of embedded images: the example, and perhaps its explanation."""
    text: str = ""
    """The example, if it is a text."""
    words: tuple[tuple[str, float, int], ...] = ()
    """(word, attribution, opacity in per cent) of a text that is explained; they replace `text`."""
    is_mistake: bool = False
    """Whether the prediction is wrong."""


def embed_image(image):
    """Embeds an image in a page.

    Args:
        image: uint8 or float (height, width, 3), RGB, 0 to 255.

    Returns:
        Text of its address, of a JPEG of at most `SIDE` pixels a side.
    """
    small = Image.fromarray(np.clip(np.asarray(image), 0, 255).astype("uint8"))
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def choose_by_class(labels, probabilities, count=3):
    """Chooses the most typical examples of each class, and the most wrong ones.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        count: maximum number of examples of each kind.

    Returns:
        list of (class, typical rows, wrong rows), int and lists of int, of at most `MAX_CLASSES` classes, those of the
        lowest recall first. Typical are the examples of a class that are predicted correctly with the highest
        probability of the class, wrong those that are not and have the lowest one.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    columns = np.arange(probabilities.shape[1])
    belongs = labels > 0 if labels.ndim == 2 else labels[:, None] == columns
    found = probabilities >= THRESHOLD if labels.ndim == 2 else probabilities.argmax(axis=1)[:, None] == columns
    classes = [number for number in range(belongs.shape[1]) if belongs[:, number].any()]
    classes.sort(key=lambda number: found[belongs[:, number], number].mean())
    chosen = []
    for number in classes[:MAX_CLASSES]:
        rows = np.flatnonzero(belongs[:, number])
        rows = rows[np.argsort(-probabilities[rows, number], kind="stable")]
        right = found[rows, number]
        chosen.append((number, rows[right][:count].tolist(), rows[~right][::-1][:count].tolist()))
    return chosen
