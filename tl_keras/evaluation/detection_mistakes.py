"""Sorts what a detector got wrong.

Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors" (2020), section 2.2: an overlap of
0.5 is needed to be right, and below 0.1 a prediction is on background.
"""

import numpy as np

from tl_keras.evaluation.iou import pairwise_iou

FOREGROUND, BACKGROUND = 0.5, 0.1
MISTAKES = {
    "missed": "an object that nothing was found for",
    "wrong_class": "the right place, another class",
    "badly_placed": "the right class, an overlap below 0.5",
    "wrong_class_and_badly_placed": "both at once",
    "duplicate": "an object that was found already",
    "background": "nothing is there",
}
"""What can go wrong, and what it means."""


def match_detections(ground_truth_boxes, ground_truth_labels, prediction):
    """Assigns predictions to the boxes of one image, the surest first, and each box once, as COCO does at 0.5.

    Args:
        ground_truth_boxes: float (k, 4), xyxy.
        ground_truth_labels: int (k,).
        prediction: dict of boxes float (j, 4), scores float (j,), labels int (j,).

    Returns:
        verdicts: list of j str, "right" or one of `MISTAKES` but "missed".
        found: list of k str, "right"; "" where another mistake explains why a box was not found; or "missed".
    """
    overlaps = pairwise_iou(prediction["boxes"], ground_truth_boxes)
    same = np.asarray(prediction["labels"])[:, None] == np.asarray(ground_truth_labels)[None, :]
    right, verdicts = _matches(overlaps, same, prediction["scores"]), []
    found = np.full(len(ground_truth_boxes), "missed", object)
    for row in range(len(overlaps)):
        verdict, box = ("right", right[row]) if row in right else _verdict(overlaps[row], same[row])
        verdicts.append(verdict)
        if verdict in ("wrong_class", "badly_placed") and found[box] == "missed":
            found[box] = ""
    found[list(right.values())] = "right"
    return verdicts, found.tolist()


def count_mistakes(ground_truth_boxes, ground_truth_labels, predictions):
    """Counts mistakes over images.

    Args:
        ground_truth_boxes: list of n float (k, 4), xyxy.
        ground_truth_labels: list of n int (k,).
        predictions: list of n dicts as `match_detections` takes them.

    Returns:
        dict of int: `right`, and each of `MISTAKES`.
    """
    counts = dict.fromkeys(("right", *MISTAKES), 0)
    for boxes, labels, prediction in zip(ground_truth_boxes, ground_truth_labels, predictions, strict=True):
        verdicts, found = match_detections(boxes, labels, prediction)
        for verdict in verdicts:
            counts[verdict] += 1
        counts["missed"] += found.count("missed")
    return counts


def _matches(overlaps, same, scores):
    """Returns {prediction: box} of those that are right."""
    matches = {}
    for row in np.argsort(-np.asarray(scores), kind="stable").tolist():
        free = same[row].copy()
        free[list(matches.values())] = False
        candidates = np.where(free, overlaps[row], 0.0)
        if candidates.size and candidates.max() >= FOREGROUND:
            matches[row] = int(candidates.argmax())
    return matches


def _verdict(overlaps, same):
    """Returns the kind of a wrong prediction, and the box that it has to do with (-1: none)."""
    of_class, of_others = np.where(same, overlaps, 0.0), np.where(same, 0.0, overlaps)
    best, best_other = of_class.max(initial=0.0), of_others.max(initial=0.0)
    if best >= FOREGROUND:
        return "duplicate", int(of_class.argmax())
    if best_other >= FOREGROUND:
        return "wrong_class", int(of_others.argmax())
    if best >= BACKGROUND:
        return "badly_placed", int(of_class.argmax())
    if best_other >= BACKGROUND:
        return "wrong_class_and_badly_placed", int(of_others.argmax())
    return "background", -1
