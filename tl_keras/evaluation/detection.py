"""Metrics of a detector, as plain Python values for JSON: COCO's average precision, and mistakes by kind."""

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from tl_keras.errors import InputError, counted
from tl_keras.evaluation.confidence.score_threshold import DEFAULT_THRESHOLD
from tl_keras.evaluation.detection_mistakes import MISTAKES, count_mistakes, match_detections

MAX_DETECTIONS = 100
"""Maximum number of predictions per image in COCO's metrics, the most confident ones."""
_AREAS = ("all", "small", "medium", "large")


def detection_metrics(ground_truth_boxes, ground_truth_labels, predictions, class_names, score_threshold=None):
    """Computes the metrics of predicted boxes against the ground truth.

    Average precision is that of COCO (Lin et al. 2014, cocodataset.org/#detection-eval): at IoU thresholds of 0.5,
    0.55 … 0.95, over 101 recall values. Small boxes are below 32 × 32 pixels, large ones 96 × 96 or more.
    `detection_mistakes` defines the kinds of mistakes.

    Args:
        ground_truth_boxes: list of n float (k, 4): left, top, right, bottom in pixels; k may be 0.
        ground_truth_labels: list of n int (k,), indices into `class_names`.
        predictions: list of n dicts of NumPy arrays: `boxes` (j, 4) as above, `scores` (j,), 0 to 1, `labels` (j,).
        class_names: sequence of class names.
        score_threshold: minimum score of the predictions that count for precision, recall, F1 and mistakes. None
            selects the score with the best F1 on these images, which makes the metrics slightly optimistic.

    Returns:
        dict of plain Python values: `mean_average_precision`, `average_precision_50`, `average_precision_75`,
        `_small`, `_medium`, `_large` (None without boxes of that size), `score_threshold`, `precision`, `recall`, `f1`
        (at IoU 0.5), `boxes`, `examples`, `mistakes` ({kind: count}), `per_class` ({name: {precision, recall, f1,
        support, average_precision, average_precision_50}}; None where a class has no box), `precision_recall`
        (`recall`, 101 values from 0 to 1, and `precision`, {name: 101 values} at IoU 0.5).

    Raises:
        InputError: lengths or shapes do not match, there is no image or no ground truth box, or values are not finite.
    """
    _check(ground_truth_boxes, ground_truth_labels, predictions, len(class_names))
    precisions = _coco_precisions(ground_truth_boxes, ground_truth_labels, predictions, len(class_names))
    threshold = score_threshold
    if threshold is None:
        threshold = best_threshold(ground_truth_boxes, ground_truth_labels, predictions)
    detections = [above_threshold(prediction, threshold) for prediction in predictions]
    counts = _class_counts(ground_truth_boxes, ground_truth_labels, detections, len(class_names))
    mistakes = count_mistakes(ground_truth_boxes, ground_truth_labels, detections)
    return {
        "mean_average_precision": _mean(precisions[..., 0]),
        "average_precision_50": _mean(precisions[0, ..., 0]),
        "average_precision_75": _mean(precisions[5, ..., 0]),
        **{f"average_precision_{area}": _mean(precisions[..., place]) for place, area in enumerate(_AREAS) if place},
        "score_threshold": float(threshold),
        **_scores(*counts.sum(axis=1)),
        "boxes": int(sum(map(len, ground_truth_boxes))),
        "examples": len(ground_truth_boxes),
        "mistakes": {kind: mistakes[kind] for kind in MISTAKES},
        "per_class": {
            name: {
                **(_scores(*counts[:, label]) if counts[2, label] else dict.fromkeys(("precision", "recall", "f1"))),
                "support": int(counts[2, label]),
                "average_precision": _mean(precisions[:, :, label, 0]),
                "average_precision_50": _mean(precisions[0, :, label, 0]),
            }
            for label, name in enumerate(class_names)
        },
        "precision_recall": {
            "recall": np.linspace(0, 1, 101).round(2).tolist(),
            "precision": {
                name: precisions[0, :, label, 0].round(4).tolist()
                for label, name in enumerate(class_names)
                if (precisions[0, :, label, 0] >= 0).all()
            },
        },
    }


def above_threshold(prediction, threshold):
    """Selects the predictions of one image whose score reaches a threshold.

    Args:
        prediction: dict of boxes (j, 4), scores (j,), labels (j,).
        threshold: float, the minimum score.

    Returns:
        dict of the same keys.
    """
    mask = np.asarray(prediction["scores"]) >= threshold
    return {key: np.asarray(prediction[key])[mask] for key in ("boxes", "scores", "labels")}


def best_threshold(ground_truth_boxes, ground_truth_labels, predictions):
    """Finds the score threshold with the best F1 at IoU 0.5, over all classes together.

    Args:
        ground_truth_boxes: list of n float (k, 4), xyxy.
        ground_truth_labels: list of n int (k,).
        predictions: list of n dicts, as in `detection_metrics`.

    Returns:
        float; `DEFAULT_THRESHOLD` if no prediction is correct at any score.
    """
    scores = np.concatenate([np.zeros(0), *(np.asarray(prediction["scores"], "float64") for prediction in predictions)])
    right = np.concatenate([np.zeros(0, bool), *_are_right(ground_truth_boxes, ground_truth_labels, predictions)])
    if not right.any():
        return DEFAULT_THRESHOLD
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    # F1 = 2 TP / (predictions + boxes). Only the last of equal scores counts: a threshold selects all of them.
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + sum(map(len, ground_truth_boxes)))
    is_last = np.append(scores[1:] < scores[:-1], True)
    return float(scores[np.where(is_last, f1, -1.0).argmax()])


def _are_right(ground_truth_boxes, ground_truth_labels, predictions):
    """Returns bool (k,) for each image, True for correct predictions."""
    images = zip(ground_truth_boxes, ground_truth_labels, predictions, strict=True)
    verdicts_of_images = [match_detections(*image)[0] for image in images]
    return [np.array([verdict == "right" for verdict in verdicts], bool) for verdicts in verdicts_of_images]


def _coco_precisions(ground_truth_boxes, ground_truth_labels, predictions, num_classes):
    """Returns COCO's precisions, float64 (10 IoUs, 101 recalls, num_classes, 4 areas); -1 without ground truth."""
    images = [{"id": number + 1, "width": 1, "height": 1} for number in range(len(ground_truth_boxes))]
    categories = [{"id": number + 1, "name": str(number)} for number in range(num_classes)]
    columns = ([prediction[key] for prediction in predictions] for key in ("boxes", "labels", "scores"))
    annotations = _annotations(ground_truth_boxes, ground_truth_labels), _annotations(*columns)
    both = [_coco(images, entries, categories) for entries in annotations]
    evaluation = COCOeval_faster(*both, "bbox", print_function=lambda *_: None)
    evaluation.params.maxDets = [1, 10, MAX_DETECTIONS]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval["precision"][..., -1]


def _coco(images, annotations, categories):
    coco = COCO()
    coco.dataset = {"images": images, "annotations": annotations, "categories": categories, "info": {}}
    coco.createIndex()
    return coco


def _annotations(boxes, labels, scores=None):
    entries = []
    for image, (image_boxes, image_labels) in enumerate(zip(boxes, labels, strict=True)):
        for row, (box, label) in enumerate(zip(np.asarray(image_boxes, "float64"), image_labels, strict=True)):
            width, height = (box[2:] - box[:2]).tolist()
            entry = {"id": len(entries) + 1, "image_id": image + 1, "category_id": int(label) + 1, "iscrowd": 0}
            entry |= {"bbox": [*box[:2].tolist(), width, height], "area": width * height}
            entries.append(entry if scores is None else entry | {"score": float(scores[image][row])})
    return entries


def _class_counts(ground_truth_boxes, ground_truth_labels, predictions, num_classes):
    """Counts correct predictions, all predictions and ground truth boxes of each class, int (3, num_classes)."""
    counts = np.zeros((3, num_classes), int)
    are_right = _are_right(ground_truth_boxes, ground_truth_labels, predictions)
    for right, labels, prediction in zip(are_right, ground_truth_labels, predictions, strict=True):
        predicted = np.asarray(prediction["labels"], int)
        for row, classes in enumerate((predicted[right], predicted, np.asarray(labels, int))):
            counts[row] += np.bincount(classes, minlength=num_classes)
    return counts


def _scores(right, predicted, actual):
    return {
        "precision": float(right / predicted) if predicted else 0.0,
        "recall": float(right / actual) if actual else 0.0,
        "f1": float(2 * right / (predicted + actual)) if predicted + actual else 0.0,
    }


def _mean(precisions):
    """Returns the mean of the defined precisions, or None without a defined one."""
    defined = precisions[precisions >= 0]
    return float(defined.mean()) if defined.size else None


def _check(ground_truth_boxes, ground_truth_labels, predictions, num_classes):
    counts = {len(ground_truth_boxes), len(ground_truth_labels), len(predictions)}
    if len(counts) > 1 or not len(ground_truth_boxes):
        raise InputError(
            f"Got boxes of {len(ground_truth_boxes)}, labels of {len(ground_truth_labels)} and predictions for "
            f"{counted(len(predictions), 'image')}: expected the same number of each, at least one."
        )
    if not any(map(len, ground_truth_boxes)):
        raise InputError(
            "ground_truth_boxes: got no box in any image, expected at least one; add labelled images to the split."
        )
    for image, (boxes, labels, prediction) in enumerate(
        zip(ground_truth_boxes, ground_truth_labels, predictions, strict=True)
    ):
        _check_image(f"ground truth of image {image}", boxes, labels, num_classes)
        _check_image(f"prediction for image {image}", prediction["boxes"], prediction["labels"], num_classes)
        if np.shape(prediction["scores"]) != np.shape(prediction["labels"]):
            raise InputError(
                f"prediction for image {image}: got {counted(len(prediction['scores']), 'score')} for "
                f"{counted(len(prediction['labels']), 'label')}, expected one score for each label."
            )
        if not np.isfinite(prediction["scores"]).all():
            raise InputError(
                f"prediction for image {image}: got scores that are not finite; the training has diverged: train "
                "again with a lower learning rate."
            )


def _check_image(name, boxes, labels, num_classes):
    if np.shape(boxes) != (len(labels), 4):
        raise InputError(f"{name}: got boxes of shape {np.shape(boxes)}, expected {(len(labels), 4)} for its labels.")
    if not np.isfinite(boxes).all():
        raise InputError(f"{name}: got boxes that are not finite, expected left, top, right, bottom in pixels.")
    if len(labels) and not (np.min(labels) >= 0 and np.max(labels) < num_classes):
        raise InputError(f"{name}: got labels {np.min(labels)} to {np.max(labels)}, expected 0 to {num_classes - 1}.")
