"""Examples that the report of a run shows: counts by class, training examples, typical ones and mistakes."""

import numpy as np

from tl_keras import data, evaluation
from tl_keras.errors import InputError, counted
from tl_keras.system.spreading import spread_rows
from tl_keras.tasks.text_mistakes import one_line, shorten, texts_of

SHEET = 16
"""Training examples that are shown."""
EXPLAINED = 8
"""Mistaken images that are shown with their explanation."""
EXPLAINED_TEXTS = 4
"""The same for texts, each of which takes some CPU seconds."""
MAX_CHARACTERS = 280
"""Characters of a text that are shown."""
MAX_COUNTED = 200
"""Classes in the table of counts, the largest first."""


def count_classes(labels, class_names):
    """Counts the examples of each class in each split.

    Args:
        labels: dict from the name of a split to int (n,), class indices, or for multi-label int (n, num_classes).
        class_names: names of the classes.

    Returns:
        dict of `splits`, the names of those with an example, and `rows`, pairs of a class and its numbers in them, the
        largest class first, with the sum of all at the end.
    """
    counts = {split: _counts(np.asarray(part), len(class_names)) for split, part in labels.items() if len(part)}
    table = np.stack(list(counts.values()), axis=1)
    order = np.argsort(-table.sum(axis=1), kind="stable")
    rows = [(class_names[number], table[number].tolist()) for number in order[:MAX_COUNTED]]
    if len(order) > MAX_COUNTED:
        rest = table[order[MAX_COUNTED:]].sum(axis=0).tolist()
        rows.append((f"… and {counted(len(order) - MAX_COUNTED, 'more class')}", rest))
    return {"splits": list(counts), "rows": [*rows, ("Sum", table.sum(axis=0).tolist())]}


def image_sheet(config, images):
    """Shows training images as the network sees them, with the augmentation of the first batch.

    Args:
        config: `RunConfig`.
        images: `ImageSet` of the training images.

    Returns:
        Tuple of a list of `Tile` and a sentence.
    """
    augmentation, side = config.data.augmentation, images.images[0].shape[0]
    size = f"{side} × {side} pixels"
    if augmentation in (None, "none"):
        rows = spread_rows(images, SHEET)
        pixels, labels = [images.images[row] for row in rows], images.labels[rows]
        captions = [(_class_names(images, label), images.names[row]) for row, label in zip(rows, labels, strict=True)]
        note = f"Evenly spread, {size}, without augmentation."
    else:
        dataset = data.make_dataset(images, SHEET, shuffle_seed=config.seed, augmentation=augmentation)
        pixels, weights = (np.asarray(part) for part in next(iter(dataset.take(1)))[:2])
        captions = [(_mixed_names(images, row),) for row in weights]
        note = f"The first batch of the training, {size}, with the augmentation {augmentation}."
    tiles = [
        evaluation.Tile(lines, (evaluation.embed_image(image),)) for image, lines in zip(pixels, captions, strict=True)
    ]
    return tuple(tiles), note


def show_image(examples, probabilities, row, explanation=None):
    """Shows an image with its class and prediction.

    Args:
        examples: `ImageSet`.
        probabilities: float (n, num_classes), predictions for them.
        row: the image.
        explanation: uint8 (height, width, 3), its heat map, or None.

    Returns:
        `Tile`.
    """
    images = [examples.images[row], *([] if explanation is None else [explanation])]
    caption, is_mistake = _caption(examples, examples.labels[row], probabilities[row])
    return evaluation.Tile(
        (*caption, examples.names[row]), tuple(map(evaluation.embed_image, images)), is_mistake=is_mistake
    )


def text_sheet(config, texts):
    """Shows training texts as they are tokenized.

    Args:
        config: `RunConfig`.
        texts: `TokenSet` of the training texts.

    Returns:
        Tuple of a tuple of `Tile` and a sentence.
    """
    rows = texts.first_rows[spread_rows(texts.first_rows, SHEET)]
    tiles = [
        evaluation.Tile(
            (_class_names(texts, texts.labels[row]), counted(texts.lengths[row], "token")),
            text=_shown(texts.texts[row]),
        )
        for row in rows
    ]
    return tuple(tiles), f"Evenly spread, cleaned; at most {counted(config.text.max_tokens, 'token')} are read at once."


def show_text(examples, probabilities, row, words=()):
    """Shows a text with its class and prediction.

    Args:
        examples: `TokenSet` or `Records` of texts.
        probabilities: float (n, num_classes), predictions for them.
        row: the text.
        words: (word, attribution, opacity in per cent) of its explanation, if there is one.

    Returns:
        `Tile`.
    """
    caption, is_mistake = _caption(examples, examples.labels[row], probabilities[row])
    return evaluation.Tile(caption, text=_shown(texts_of(examples)[row]), words=tuple(words), is_mistake=is_mistake)


def show_classes(labels, probabilities, class_names, show):
    """Shows the most typical and the most wrong examples of each class.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes).
        probabilities: float (n, num_classes).
        class_names: names of the classes.
        show: function from a row to a `Tile`.

    Returns:
        Tuple of (class, typical tiles, wrong tiles).
    """
    chosen = evaluation.choose_by_class(labels, probabilities)
    return tuple(
        (class_names[one], tuple(map(show, typical)), tuple(map(show, wrong))) for one, typical, wrong in chosen
    )


def explain_or_none(explain):
    """Explains examples where the network allows it.

    Args:
        explain: function without arguments that returns a list.

    Returns:
        That list, or None where the network has nothing to explain it by.
    """
    try:
        return explain()
    except InputError:
        return None


def _shown(text):
    return shorten(one_line(text), MAX_CHARACTERS)


def _caption(examples, label, scores):
    """Returns the lines of true classes and prediction, and whether the prediction is wrong."""
    if np.ndim(label) == 0:
        predicted = int(scores.argmax())
        return (examples.class_names[label], f"→ {examples.class_names[predicted]} {scores[predicted]:.0%}"), (
            predicted != label
        )
    found = scores >= evaluation.THRESHOLD
    names = ", ".join(f"{examples.class_names[one]} {scores[one]:.0%}" for one in np.flatnonzero(found)) or "none"
    return (_class_names(examples, label), f"→ {names}"), bool((found != (label > 0)).any())


def _class_names(examples, label):
    if np.ndim(label) == 0:
        return examples.class_names[label]
    return ", ".join(examples.class_names[one] for one in np.flatnonzero(label)) or "none"


def _mixed_names(examples, weights):
    """Names the classes of an augmented image, with their shares where images were mixed."""
    classes = [one for one in np.argsort(-weights, kind="stable") if weights[one] > 0]
    shares = [f" {weights[one]:.0%}" if 0 < weights[one] < 1 else "" for one in classes]
    return (
        ", ".join(f"{examples.class_names[one]}{share}" for one, share in zip(classes, shares, strict=True)) or "none"
    )


def _counts(labels, num_classes):
    return (
        labels.sum(axis=0).astype(int) if labels.ndim == 2 else np.bincount(labels.astype(int), minlength=num_classes)
    )
