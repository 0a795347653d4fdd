"""The most confident mistakes of a detector, beside the parts of the images that made them, for the report of a run."""

import time

import numpy as np

from tl_keras import data, evaluation, explanation, models

SHOWN = 3
"""Mistakes that are shown, each in another image."""
MAX_SECONDS = 2.0
"""Seconds after which no further mistake is explained; large networks on a CPU take one for each."""


def show_mistakes(model, examples, predictions):
    """Shows the most confident mistakes, each beside its map while there is time.

    Args:
        model: `Detector`, or a saved and opened one.
        examples: `BoxSet` of n images with their ground truth.
        predictions: list of n dicts as `detect` returns them.

    Returns:
        Tuple of `evaluation.Tile`.
    """
    stop, tiles = time.monotonic() + MAX_SECONDS, []
    inference = model.inference_model() if isinstance(model, models.Detector) else model
    for row, place, verdict in find_mistakes(examples, predictions):
        (image,) = data.read_images(examples.images, np.array([row]))
        found = {name: values[[place]] for name, values in predictions[row].items()}
        (box,), (score,), (label,) = (found[name] for name in ("boxes", "scores", "labels"))
        images = [image]
        if time.monotonic() < stop:
            explained = explanation.explain_detections(inference, image, found, found["boxes"], examples.class_names)
            images.append(explanation.overlay(image, explained.detections[0].heat_map))
        lines = verdict.replace("_", " "), f"→ {examples.class_names[label]} {score:.0%}", examples.names[row]
        drawn = (evaluation.embed_image(evaluation.outline(one, box)) for one in images)
        tiles.append(evaluation.Tile(lines, tuple(drawn), is_mistake=True))
    return tuple(tiles)


def find_mistakes(examples, predictions):
    """Finds the most confident wrong detection of each image, and of these the most confident ones.

    Args:
        examples: `BoxSet` of n images with their ground truth.
        predictions: list of n dicts as `detect` returns them.

    Returns:
        List of at most `SHOWN` tuples of the image, the detection in it, and its verdict as in `match_detections`.
    """
    wrong = []
    for row, found in enumerate(predictions):
        verdicts, _ = evaluation.match_detections(examples.boxes[row], examples.labels[row], found)
        place = next((place for place, verdict in enumerate(verdicts) if verdict != "right"), None)
        if place is not None:
            wrong.append((row, place, verdicts[place]))
    return sorted(wrong, key=lambda one: -predictions[one[0]]["scores"][one[1]])[:SHOWN]
