"""Answers of a run about one input: probabilities with an explanation, or boxes."""

from dataclasses import dataclass, field

import numpy as np

from tl_keras import data, evaluation, explanation
from tl_keras.errors import InputError
from tl_keras.tasks.base import PredictionOptions

CHOOSE = "Click a row of the table for the part of the image that made its box."


@dataclass(frozen=True)
class Answer:
    """Holds what a run says about an image or a text."""

    probabilities: dict = field(default_factory=dict)
    """From class name to probability; empty for a detector."""
    image: np.ndarray | None = None
    """uint8 (height, width, 3): the image under its heat map, or with its boxes."""
    words: list | None = None
    """(word, attribution) of a text, scaled to -1 to 1."""
    objects: list = field(default_factory=list)
    """[class name, score, left, top, right, bottom] of each detection."""
    note: str = ""
    """What there is to say about the explanation."""


def answer(run, example):
    """Predicts an example, and explains the prediction or draws the boxes.

    Args:
        run: `TrainedRun`.
        example: path of an image, a text, or a tuple of two texts.

    Returns:
        `Answer`.

    Raises:
        InputError: the example cannot be read.
    """
    if not run.task.gives_probabilities:
        return _find_objects(run, example)
    probabilities = dict(zip(run.class_names, run.predict([example])[0].tolist(), strict=True))
    try:
        (explained,) = run.explain([example])
    except InputError as error:
        # The prediction counts also where the network cannot be explained.
        return Answer(probabilities, note=str(error))
    if run.task.takes_texts:
        return _with_words(probabilities, explained)
    note = f"Red parts raise the score of {explained.class_name}."
    return Answer(probabilities, explanation.overlay(explained.image, explained.heat_map), note=note)


def explain_object(run, path, row):
    """Shows the part of an image that made a detection.

    Args:
        run: `TrainedRun` that detects objects.
        path: path of an image.
        row: one of the `Answer.objects` of the image, as it comes back from the page, sorted or not.

    Returns:
        `Answer` with an image and a note.

    Raises:
        InputError: the image cannot be read, or the detection belongs to another one.
    """
    objects = _find_objects(run, path).objects
    if row not in objects:
        raise InputError("The detection belongs to another image: press Predict.")
    number = objects.index(row)
    (explained,) = run.explain([path], max_boxes=number + 1)
    one = explained.detections[number]
    image = evaluation.outline(explanation.overlay(explained.image, one.heat_map), one.box_in_image)
    return Answer(image=image, note=f"Red parts raise the score of {one.class_name}, {one.score:.3f}.")


def _with_words(probabilities, explained):
    largest = max((abs(value) for _, value in explained.words), default=0) or 1
    words = [(f"{word} ", value / largest) for word, value in explained.words]
    lines = [f"Red words raise the probability of {explained.class_name}, violet ones lower it.", *explained.warnings]
    return Answer(probabilities, words=words, note=" ".join(lines))


def _find_objects(run, path):
    ((_, found, problem),) = run.predict_items([path], PredictionOptions())
    if problem:
        raise InputError(f"The image cannot be read ({problem}): give another one.")
    image = evaluation.draw_objects(data.upright_pixels(path), found, run.class_names)
    objects = [[name, round(score, 3), *(round(side, 1) for side in box)] for name, score, box in found]
    return Answer(image=image, objects=objects, note=CHOOSE if found else "Nothing is found.")
