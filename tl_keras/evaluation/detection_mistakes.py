"""Kinds of mistakes of a detector.

Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors" (2020), section 2.2: a correct
prediction has an IoU of at least 0.5, and one below 0.1 lies on background.
"""

import numpy as np

from tl_keras.evaluation.iou import pairwise_iou

FOREGROUND, BACKGROUND = 0.5, 0.1
MISTAKES = {
    "missed": "an object without a prediction",
    "wrong_class": "the right place, but the wrong class",
    "badly_placed": "the right class, but an IoU below 0.5",
    "wrong_class_and_badly_placed": "the wrong class and an IoU below 0.5",
    "duplicate": "a second prediction for the same object",
    "background": "a prediction where there is no object",
}
"""Kinds of mistakes and their meaning."""


def match_detections(ground_truth_boxes, ground_truth_labels, prediction):
    """Matches the predictions of one image to its ground truth boxes.

    Args:
        ground_truth_boxes: float (k, 4), xyxy.
        ground_truth_labels: int (k,).
        prediction: dict of boxes float (j, 4), scores float (j,), labels int (j,).

    Returns:
        `verdicts` and `outcomes` of `assign_detections`.
    """
    return assign_detections(ground_truth_boxes, ground_truth_labels, prediction)[:2]


def assign_detections(ground_truth_boxes, ground_truth_labels, prediction):
    """Matches the predictions of one image to its ground truth boxes, and names the box that each one concerns.

    As in COCO at IoU 0.5, the most confident prediction is matched first, and each box is matched once.

    Args:
        ground_truth_boxes: float (k, 4), xyxy.
        ground_truth_labels: int (k,).
        prediction: dict of boxes float (j, 4), scores float (j,), labels int (j,).

    Returns:
        verdicts: list of j str, "right" or one of `MISTAKES` except "missed".
        outcomes: list of k str, "right", "missed", or "" where a mistake in `verdicts` accounts for the box.
        places: list of j int, the index of the box that a verdict concerns, -1 for background.
        ious: list of j float, the IoU with this box; that of background means nothing.
    """
    ious = pairwise_iou(prediction["boxes"], ground_truth_boxes)
    same = np.asarray(prediction["labels"])[:, None] == np.asarray(ground_truth_labels)[None, :]
    right = _matches(ious, same, prediction["scores"])
    outcomes = np.full(len(ground_truth_boxes), "missed", object)
    verdicts, places, found = [], [], []
    for row in range(len(ious)):
        verdict, box = ("right", right[row]) if row in right else _verdict(ious[row], same[row])
        verdicts.append(verdict)
        places.append(box)
        found.append(float(ious[row, box]) if box >= 0 else 0.0)
        if verdict in ("wrong_class", "badly_placed") and outcomes[box] == "missed":
            outcomes[box] = ""
    outcomes[list(right.values())] = "right"
    return verdicts, outcomes.tolist(), places, found


def count_mistakes(ground_truth_boxes, ground_truth_labels, predictions):
    """Counts the mistakes in several images.

    Args:
        ground_truth_boxes: list of n float (k, 4), xyxy.
        ground_truth_labels: list of n int (k,).
        predictions: list of n dicts as `match_detections` takes them.

    Returns:
        dict of int, with the keys `right` and those of `MISTAKES`.
    """
    counts = dict.fromkeys(("right", *MISTAKES), 0)
    for boxes, labels, prediction in zip(ground_truth_boxes, ground_truth_labels, predictions, strict=True):
        verdicts, outcomes = match_detections(boxes, labels, prediction)
        for verdict in verdicts:
            counts[verdict] += 1
        counts["missed"] += outcomes.count("missed")
    return counts


def _matches(ious, same, scores):
    """Returns a dict from the index of each correct prediction to that of its box."""
    matches = {}
    for row in np.argsort(-np.asarray(scores), kind="stable").tolist():
        free = same[row].copy()
        free[list(matches.values())] = False
        candidates = np.where(free, ious[row], 0.0)
        if candidates.size and candidates.max() >= FOREGROUND:
            matches[row] = int(candidates.argmax())
    return matches


def _verdict(ious, same):
    """Returns the kind of a wrong prediction, and the index of the box that it concerns (-1 for background)."""
    same_class, other_class = np.where(same, ious, 0.0), np.where(same, 0.0, ious)
    best, best_other = same_class.max(initial=0.0), other_class.max(initial=0.0)
    if best >= FOREGROUND:
        return "duplicate", int(same_class.argmax())
    if best_other >= FOREGROUND:
        return "wrong_class", int(other_class.argmax())
    if best >= BACKGROUND:
        return "badly_placed", int(same_class.argmax())
    if best_other >= BACKGROUND:
        return "wrong_class_and_badly_placed", int(other_class.argmax())
    return "background", -1
