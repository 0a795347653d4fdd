"""How good a classifier is, in numbers that go straight into JSON."""

import numpy as np
from sklearn import metrics

from tl_keras.errors import InputError
from tl_keras.evaluation.calibration import expected_calibration_error

THRESHOLD = 0.5
"""From this probability on, a multi-label model counts as having said yes."""

MAX_CONFUSED_CLASSES = 1000
"""With more classes there is no confusion matrix: nobody would look at its millions of cells."""


def classification_metrics(labels, probabilities, class_names, multi_label=False):
    """Compares predictions with the truth.

    Args:
        labels: int (n,), the index of each example's class; with `multi_label` 0 or 1, (n, num_classes).
        probabilities: float (n, num_classes), 0 to 1; each row sums to 1 unless `multi_label`.
        class_names: sequence of num_classes names.
        multi_label: whether an example may belong to several classes, or to none.

    Returns:
        dict of plain Python values, in this order.
        Always: `examples`, `macro_f1` (mean over the classes that occur in labels or predictions), `per_class`
        ({name: {precision, recall, f1, support}}; what is undefined for want of examples is 0).
        Single-label: also `accuracy`, `top_5_accuracy` (with more than 5 classes), `log_loss` (nats),
        `expected_calibration_error` and, up to `MAX_CONFUSED_CLASSES`, `confusion_matrix` (list of rows: true class
        down, predicted class across).
        Multi-label: also `subset_accuracy` (every label of an example right), `micro_f1`, `mean_average_precision`
        (over the classes with a positive example), and per class `average_precision` (None without a positive).

    Raises:
        InputError: shapes that do not fit, no example at all, labels out of range, or values that are no probabilities.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, "float64")
    _check(labels, probabilities, len(class_names), multi_label)
    measure = _multi_label_metrics if multi_label else _single_label_metrics
    return {"examples": len(labels), **measure(labels.astype(int), probabilities, class_names)}


def worst_mistakes(labels, probabilities, count):
    """Finds the predictions that were wrong and most sure of it.

    Args:
        labels: int (n,), or for multi-label 0 or 1, (n, num_classes).
        probabilities: float (n, num_classes), 0 to 1.
        count: how many to return at most.

    Returns:
        list of int, indices of examples, most confident mistake first; equal confidence keeps the order of the
        examples. A multi-label example counts by the label that it got most wrong.
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
    """Lists the pairs of classes that were taken for each other most often.

    Args:
        confusion_matrix: int (num_classes, num_classes), true class down, predicted class across.
        class_names: sequence of num_classes names.
        count: how many pairs to return at most.

    Returns:
        list of dict(true, predicted, count, share), most frequent first; `share` is the part, 0 to 1, of the true
        class's examples. Pairs that never happened are left out.
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


def _single_label_metrics(labels, probabilities, class_names):
    classes = range(len(class_names))
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    result = {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "macro_f1": float(metrics.f1_score(labels, predicted, average="macro", zero_division=0)),
    }
    if len(class_names) > 5:
        result["top_5_accuracy"] = _top_share(labels, probabilities, 5)
    scores = metrics.precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    result |= {
        "log_loss": _log_loss(labels, probabilities),
        "expected_calibration_error": expected_calibration_error(predicted == labels, probabilities.max(axis=1)),
        "per_class": {name: _scores(*row) for name, *row in zip(class_names, *scores, strict=True)},
    }
    if len(class_names) <= MAX_CONFUSED_CLASSES:
        result["confusion_matrix"] = metrics.confusion_matrix(labels, predicted, labels=classes).tolist()
    return result


# These two are scikit-learn's top_k_accuracy_score and log_loss, which take minutes where there are 10,000 classes.
def _top_share(labels, probabilities, count):
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    ties = (probabilities == own) & (np.arange(probabilities.shape[1]) > labels[:, None])
    return float((((probabilities > own) | ties).sum(axis=1) < count).mean())


def _log_loss(labels, probabilities):
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return float(-np.log(np.clip(own, np.finfo(own.dtype).eps, None)).mean())


def _multi_label_metrics(labels, probabilities, class_names):
    predicted = (probabilities >= THRESHOLD).astype(int)
    columns = zip(class_names, labels.T, predicted.T, probabilities.T, strict=True)
    per_class = {name: _label_scores(*column) for name, *column in columns}
    f1 = np.array([scores["f1"] for scores in per_class.values()])
    occurs = np.any(labels | predicted, axis=0)
    precisions = [scores["average_precision"] for scores in per_class.values() if scores["support"]]
    return {
        "subset_accuracy": float(np.mean(np.all(labels == predicted, axis=1))),
        "macro_f1": float(f1[occurs].mean()) if occurs.any() else 0.0,
        "micro_f1": float(metrics.f1_score(labels.ravel(), predicted.ravel(), zero_division=0)),
        "mean_average_precision": float(np.mean(precisions)) if precisions else None,
        "per_class": per_class,
    }


def _label_scores(labels, predicted, probabilities):
    # One column at a time, because scikit-learn takes a single column of a matrix for a two-class problem.
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0
    )
    scores = _scores(precision, recall, f1, labels.sum())
    average = float(metrics.average_precision_score(labels, probabilities)) if labels.any() else None
    return scores | {"average_precision": average}


def _scores(precision, recall, f1, support):
    return {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}


def _check(labels, probabilities, num_classes, multi_label):
    examples = len(labels)
    expected = (examples, num_classes)
    if probabilities.shape != expected:
        raise InputError(f"probabilities: got shape {probabilities.shape}, expected {expected}, examples by classes.")
    if labels.shape != (expected if multi_label else (examples,)):
        wanted = f"{expected}, for multi_label=True" if multi_label else f"({examples},), for multi_label=False"
        raise InputError(f"labels: got shape {labels.shape}, expected {wanted}.")
    if examples == 0:
        raise InputError("labels: got no example, expected at least one; give the split some examples.")
    largest = 1 if multi_label else num_classes - 1
    if labels.min() < 0 or labels.max() > largest:
        raise InputError(f"labels: got {labels.min()} to {labels.max()}, expected 0 to {largest}.")
    _check_probabilities(probabilities, multi_label)


def _check_probabilities(probabilities, multi_label):
    bad = int(np.sum(~np.isfinite(probabilities).all(axis=1)))
    if bad:
        raise InputError(
            f"probabilities: got NaN or infinity for {bad} of {len(probabilities)} examples, expected 0 to 1; "
            "the training has diverged, so train again with a lower learning rate."
        )
    sums = probabilities.sum(axis=1)
    in_range = probabilities.min() >= 0 and probabilities.max() <= 1 + 1e-3
    if not in_range or not (multi_label or np.allclose(sums, 1, atol=1e-2)):
        raise InputError(
            f"probabilities: got values {probabilities.min():.3g} to {probabilities.max():.3g} with rows summing to "
            f"{sums.min():.3g} to {sums.max():.3g}, expected probabilities; are these logits?"
        )
