"""Bootstrap of a detector's average precision: its values on test images drawn again with replacement."""

import numpy as np

from tl_keras.evaluation.detection import MAX_DETECTIONS
from tl_keras.evaluation.detection_mistakes import match_detections

RECALLS = np.linspace(0, 1, 101)
"""Recall values of COCO's average precision."""


def resample_average_precision(ground_truth_boxes, ground_truth_labels, predictions, num_classes, counts):
    """Computes the average precision at IoU 0.5 of `detection_metrics` on bootstrap resamples of the test images.

    Detections are matched once, since an image is matched on its own; only the precision over recall is computed anew.

    Args:
        ground_truth_boxes: list of n float (k, 4), xyxy; k may be 0.
        ground_truth_labels: list of n int (k,).
        predictions: list of n dicts, as in `detection_metrics`.
        num_classes: number of classes.
        counts: int (resamples, n), how often each resample has each image.

    Returns:
        float64 (resamples,); 0 for a resample without any box.
    """
    detections = _ranked_detections(ground_truth_boxes, ground_truth_labels, predictions, num_classes)
    boxes = np.stack([np.bincount(np.asarray(one, int), minlength=num_classes) for one in ground_truth_labels])
    return np.array([_mean_precision(detections, boxes, row) for row in np.asarray(counts)])


def _ranked_detections(ground_truth_boxes, ground_truth_labels, predictions, num_classes):
    """Lists for each class the images of its detections, int (k,), and which are right, the highest score first."""
    columns = [[np.zeros((0, 3))] for _ in range(num_classes)]
    for image, truth in enumerate(zip(ground_truth_boxes, ground_truth_labels, predictions, strict=True)):
        prediction = truth[-1]
        right = np.array([verdict == "right" for verdict in match_detections(*truth)[0]], float)
        scores, labels = np.asarray(prediction["scores"], float), np.asarray(prediction["labels"], int)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            rows = rows[np.argsort(-scores[rows], kind="stable")][:MAX_DETECTIONS]
            columns[label].append(np.stack([scores[rows], np.full(len(rows), image), right[rows]], axis=1))
    tables = [np.concatenate(parts) for parts in columns]
    tables = [table[np.argsort(-table[:, 0], kind="stable")] for table in tables]
    return [(table[:, 1].astype(int), table[:, 2]) for table in tables]


def _mean_precision(detections, boxes, counts):
    """Returns the mean over the classes that have a box in the images of a resample, which counts int (n,) define."""
    totals = counts @ boxes
    values = [
        _average_precision(right, counts[images], total)
        for (images, right), total in zip(detections, totals, strict=True)
        if total
    ]
    return float(np.mean(values)) if values else 0.0


def _average_precision(right, counts, total):
    """Averages the precision over `RECALLS`, each the highest at this recall or above."""
    found, predicted = np.cumsum(counts * right), np.cumsum(counts)
    precision = found / np.maximum(predicted, 1)
    highest = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    return highest[np.searchsorted(found / total, RECALLS)].mean()
