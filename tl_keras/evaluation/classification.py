"""Metrics of a classifier, as plain Python values for JSON."""

import numpy as np
from sklearn import metrics

from tl_keras.errors import InputError, counted
from tl_keras.evaluation.confidence.calibration import expected_calibration_error

THRESHOLD = 0.5
"""Minimum probability at which a multi-label model predicts a label."""

MAX_CONFUSED_CLASSES = 1000
"""Maximum number of classes with a confusion matrix; nobody would read the millions of cells of a larger one."""


def classification_metrics(labels, probabilities, class_names, multi_label=False):
    """Computes the metrics of predictions against the ground truth.

    Args:
        labels: int (n,), class indices; with `multi_label` int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1; rows sum to 1 unless `multi_label`.
        class_names: sequence of num_classes names.
        multi_label: whether an example may belong to several classes, or to none.

    Returns:
        dict of plain Python values.
        Always: `examples`, `macro_f1` (mean over the classes with an example) and `per_class` ({name: {precision,
        recall, f1, support}}; precision 0 where a class is never predicted, all None where it has no example).
        Single-label: also `accuracy`, `top_5_accuracy` (with more than 5 classes), `log_loss` (nats),
        `expected_calibration_error` and, up to `MAX_CONFUSED_CLASSES` classes, `confusion_matrix` (list of rows; rows
        are true classes, columns are predicted classes).
        Multi-label: also `subset_accuracy` (share of examples with all labels correct), `micro_f1`,
        `mean_average_precision` (over the classes with a positive example) and, per class, `average_precision` (None
        without a positive example).

    Raises:
        InputError: shapes do not match, there is no example, labels are out of range, or values are not probabilities.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, "float64")
    _check(labels, probabilities, len(class_names), multi_label)
    measure = _multi_label_metrics if multi_label else _single_label_metrics
    return {"examples": len(labels), **measure(labels.astype(int), probabilities, class_names)}


def worst_mistakes(labels, probabilities, count):
    """Finds the most confident wrong predictions.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        count: maximum number of mistakes to return.

    Returns:
        list of int, indices of examples, the most confident mistake first; ties keep the order of the examples. The
        confidence of a multi-label example is that of its worst label.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, "float64")
    if labels.ndim == 2:
        wrong = np.any(labels != (probabilities >= THRESHOLD), axis=1)
        confidence = np.abs(labels - probabilities).max(axis=1)
    else:
        wrong = probabilities.argmax(axis=1) != labels
        confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    return [int(index) for index in order if wrong[index]][:count]


def most_confused(confusion_matrix, class_names, count=10):
    """Lists the most frequently confused pairs of classes.

    Args:
        confusion_matrix: int (num_classes, num_classes); rows are true classes, columns predicted classes.
        class_names: sequence of num_classes names.
        count: maximum number of pairs to return.

    Returns:
        list of dict(true, predicted, count, share), the most frequent first; `share`, 0 to 1, is relative to the
        examples of the true class. Pairs that never occur are left out.
    """
    matrix = np.asarray(confusion_matrix)
    mistakes = matrix * (1 - np.eye(len(matrix), dtype=int))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:count]
    pairs = [divmod(int(position), len(matrix)) for position in order]
    return [
        {
            "true": class_names[true],
            "predicted": class_names[predicted],
            "count": int(matrix[true, predicted]),
            "share": float(matrix[true, predicted] / matrix[true].sum()),
        }
        for true, predicted in pairs
        if mistakes[true, predicted]
    ]


def log_losses(labels, probabilities):
    """Computes the logarithmic loss of each example.

    Args:
        labels: int (n,), class indices.
        probabilities: float64 (n, num_classes), 0 to 1; rows are scaled to the sum 1.

    Returns:
        float64 (n,), nats, at most that of the smallest positive step of the dtype.
    """
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0] / probabilities.sum(axis=1)
    return -np.log(np.clip(own, np.finfo(own.dtype).eps, None))


def confidence_of(labels, probabilities):
    """Computes which predictions are correct, and how probable the model finds them.

    Args:
        labels: int (n,), class indices.
        probabilities: float (n, num_classes), 0 to 1; rows are scaled to the sum 1.

    Returns:
        Tuple of bool (n,) and float64 (n,).
    """
    probabilities = np.asarray(probabilities, "float64")
    predicted = probabilities.argmax(axis=1)
    return predicted == np.asarray(labels), probabilities.max(axis=1) / probabilities.sum(axis=1)


def _single_label_metrics(labels, probabilities, class_names):
    classes = range(len(class_names))
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    scores = metrics.precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    per_class = {name: _scores(*row) for name, *row in zip(class_names, *scores, strict=True)}
    result = {"accuracy": float(metrics.accuracy_score(labels, predicted)), "macro_f1": _macro_f1(per_class)}
    if len(class_names) > 5:
        result["top_5_accuracy"] = _top_share(labels, probabilities, 5)
    result |= {
        "log_loss": float(log_losses(labels, probabilities).mean()),
        "expected_calibration_error": expected_calibration_error(*confidence_of(labels, probabilities)),
        "per_class": per_class,
    }
    if len(class_names) <= MAX_CONFUSED_CLASSES:
        result["confusion_matrix"] = metrics.confusion_matrix(labels, predicted, labels=classes).tolist()
    return result


# Like `log_losses` equal to scikit-learn's metric, which takes minutes with 10,000 classes.
def _top_share(labels, probabilities, count):
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    ties = (probabilities == own) & (np.arange(probabilities.shape[1]) > labels[:, None])
    return float((((probabilities > own) | ties).sum(axis=1) < count).mean())


def _multi_label_metrics(labels, probabilities, class_names):
    predicted = (probabilities >= THRESHOLD).astype(int)
    columns = zip(class_names, labels.T, predicted.T, probabilities.T, strict=True)
    per_class = {name: _label_scores(*column) for name, *column in columns}
    precisions = [scores["average_precision"] for scores in per_class.values() if scores["support"]]
    return {
        "subset_accuracy": float(np.mean(np.all(labels == predicted, axis=1))),
        "macro_f1": _macro_f1(per_class),
        "micro_f1": float(metrics.f1_score(labels.ravel(), predicted.ravel(), zero_division=0)),
        "mean_average_precision": float(np.mean(precisions)) if precisions else None,
        "per_class": per_class,
    }


def _label_scores(labels, predicted, probabilities):
    # One column at a time, because scikit-learn reads a matrix of one column as a two-class problem.
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0
    )
    scores = _scores(precision, recall, f1, labels.sum())
    average = float(metrics.average_precision_score(labels, probabilities)) if labels.any() else None
    return scores | {"average_precision": average}


def _scores(precision, recall, f1, support):
    values = {"precision": precision, "recall": recall, "f1": f1}
    return {name: float(value) if support else None for name, value in values.items()} | {"support": int(support)}


def _macro_f1(per_class):
    """Returns the mean F1 of the classes with an example, 0 without any: of the others there is nothing to measure."""
    measured = [scores["f1"] for scores in per_class.values() if scores["support"]]
    return float(np.mean(measured)) if measured else 0.0


def _check(labels, probabilities, num_classes, multi_label):
    examples = len(labels)
    expected = (examples, num_classes)
    if probabilities.shape != expected:
        raise InputError(f"probabilities: got shape {probabilities.shape}, expected {expected}, examples by classes.")
    if labels.shape != (expected if multi_label else (examples,)):
        shape = f"{expected}, for multi_label=True" if multi_label else f"({examples},), for multi_label=False"
        raise InputError(f"labels: got shape {labels.shape}, expected {shape}.")
    if examples == 0:
        raise InputError("labels: got no examples, expected at least one; add examples to the split.")
    largest = 1 if multi_label else num_classes - 1
    if labels.min() < 0 or labels.max() > largest:
        raise InputError(f"labels: got {labels.min()} to {labels.max()}, expected 0 to {largest}.")
    _check_probabilities(probabilities, multi_label)


def _check_probabilities(probabilities, multi_label):
    bad = int(np.sum(~np.isfinite(probabilities).all(axis=1)))
    if bad:
        raise InputError(
            f"probabilities: got NaN or infinity for {bad} of {counted(len(probabilities), 'example')}, expected 0 to "
            "1; the training has diverged: train again with a lower learning rate."
        )
    sums = probabilities.sum(axis=1)
    in_range = probabilities.min() >= 0 and probabilities.max() <= 1 + 1e-3
    if not in_range or not (multi_label or np.allclose(sums, 1, atol=1e-2)):
        raise InputError(
            f"probabilities: got values {probabilities.min():.3g} to {probabilities.max():.3g} with rows summing to "
            f"{sums.min():.3g} to {sums.max():.3g}, expected probabilities; are these logits?"
        )
