"""Bootstrap of a classifier's metrics: their values on test examples drawn again with replacement."""

import numpy as np

from tl_keras.evaluation.classification import THRESHOLD, log_losses

MAX_RESAMPLES, MIN_RESAMPLES = 1000, 200
MAX_CELLS = 500_000_000
"""Maximum of numbers read by all resamples of a metric, a few seconds of work."""


def resample_metrics(labels, probabilities, multi_label=False):
    """Computes metrics of `classification_metrics` on bootstrap resamples of the test examples.

    The seed is fixed. There are 1,000 resamples, or fewer, at least 200, where they would read more than `MAX_CELLS`
    numbers. A metric that exceeds this even with 200 is left out, such as the average precision of 100,000 examples and
    1,000 classes.

    Args:
        labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        dict from name to float64 (resamples,). Single-label: `macro_f1` and `log_loss`. Multi-label: `macro_f1`,
        `micro_f1` and, if a class has a positive example, `mean_average_precision`, which is NaN for a resample without
        one.
    """
    labels, probabilities = np.asarray(labels).astype(int), np.asarray(probabilities, "float64")
    prepare = _multi_label_measures if multi_label else _single_label_measures
    return _resample(prepare(labels, probabilities), len(labels))


def resample_f1_difference(labels, probabilities, others):
    """Computes the difference of the multi-label macro-F1 of two models on the same bootstrap resamples.

    Args:
        labels: int (n, num_classes) of 0 and 1.
        probabilities: float (n, num_classes), 0 to 1, of the first model.
        others: float (n, num_classes), 0 to 1, of the second model.

    Returns:
        float64 (resamples,), the first minus the second, or None where 200 resamples would read more than `MAX_CELLS`
        numbers.
    """
    labels = np.asarray(labels).astype(int)
    measures = {name: _macro_f1_of(labels, np.asarray(values)) for name, values in enumerate((probabilities, others))}
    values = _resample(measures, len(labels))
    return values[0] - values[1] if len(values) == 2 else None


def _resample(measures, size):
    """Evaluates measures, a dict from name to (cost, function), on the same resamples of `size` examples."""
    measures = {name: one for name, one in measures.items() if one[0] * MIN_RESAMPLES <= MAX_CELLS}
    cost = max((cost for cost, _ in measures.values()), default=1)
    generator = np.random.default_rng(0)
    values = np.empty((int(np.clip(MAX_CELLS // cost, MIN_RESAMPLES, MAX_RESAMPLES)), len(measures)))
    for row in values:
        counts = np.bincount(generator.integers(size, size=size), minlength=size).astype("float64")
        row[:] = [measure(counts) for _, measure in measures.values()]
    return dict(zip(measures, values.T, strict=True))


def _single_label_measures(labels, probabilities):
    """Returns a dict from metric to its cost in numbers and a function of the draws of each example, float64 (n,)."""
    losses, rows, predicted = log_losses(labels, probabilities), np.arange(len(labels)), probabilities.argmax(axis=1)
    right = predicted == labels
    hits = rows[right], labels[right]
    return {
        "macro_f1": _macro_f1(hits, (rows, labels), (rows, predicted), probabilities.shape[1]),
        "log_loss": (len(losses), lambda counts: counts @ losses / len(losses)),
    }


def _multi_label_measures(labels, probabilities):
    """Returns a dict as `_single_label_measures` does."""
    predicted = probabilities >= THRESHOLD
    hits, cells = (labels & predicted).sum(axis=1), (labels + predicted).sum(axis=1)
    measures = {
        "macro_f1": _macro_f1_of(labels, probabilities),
        "micro_f1": (len(labels), lambda counts: 2 * (counts @ hits) / max(counts @ cells, 1)),
    }
    return measures | ({"mean_average_precision": _average_precision(labels, probabilities)} if labels.any() else {})


def _macro_f1_of(labels, probabilities):
    true, predicted = labels > 0, probabilities >= THRESHOLD
    return _macro_f1(np.nonzero(true & predicted), np.nonzero(true), np.nonzero(predicted), labels.shape[1])


def _macro_f1(hits, labels, predictions, num_classes):
    """Returns the cost and the function of the mean F1 of the classes with an example.

    Args:
        hits: int (k,) rows and int (k,) classes of the correct predictions.
        labels: rows and classes, likewise, of the labels.
        predictions: rows and classes, likewise, of the predictions.
        num_classes: number of classes.
    """
    cells = hits, labels, predictions

    def measure(counts):
        right, true, predicted = (np.bincount(classes, counts[rows], num_classes) for rows, classes in cells)
        occurs = true > 0
        return (2 * right[occurs] / (true + predicted)[occurs]).mean() if occurs.any() else 0.0

    return sum(len(rows) for rows, _ in cells), measure


def _average_precision(labels, probabilities):
    """Returns the cost and the function of scikit-learn's average precision, the mean of the classes that occur."""
    order = np.argsort(-probabilities.T, axis=1)
    scores, positive = (np.take_along_axis(values.T, order, axis=1) for values in (probabilities, labels))
    classes, ranks = np.nonzero(positive)
    examples, ends = order[classes, ranks], _last_equal(scores)[classes, ranks]
    # Positive examples lie class by class; the cumulative draws before the first one of the class are subtracted.
    cells = classes * len(labels) + ranks
    first = np.searchsorted(cells, classes * len(labels))
    last = np.searchsorted(cells, classes * len(labels) + ends, side="right")

    def measure(counts):
        drawn = counts[examples]
        hits = np.append(0, np.cumsum(drawn))
        ranked = np.maximum(np.cumsum(counts[order], axis=1)[classes, ends], 1)
        sums, positives = (
            np.bincount(classes, values) for values in (drawn * (hits[last] - hits[first]) / ranked, drawn)
        )
        occurs = positives > 0
        return (sums[occurs] / positives[occurs]).mean() if occurs.any() else np.nan

    return 2 * labels.size, measure


def _last_equal(scores):
    """Returns the last place of equal scores for each place, int (num_classes, n): they share one threshold."""
    is_last = np.append(scores[:, 1:] < scores[:, :-1], np.ones((len(scores), 1), bool), axis=1)
    places = np.where(is_last, np.arange(scores.shape[1]), scores.shape[1])
    return np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
