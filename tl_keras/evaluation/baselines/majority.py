"""Baseline that looks at no example: it always predicts what is most frequent in training."""

import numpy as np

from tl_keras.evaluation.baselines.baseline import measure_baseline

MAJORITY_CLASS, MAJORITY_LABELS = "majority class", "most frequent label set"


def majority_baseline(train_labels, test_labels, class_names, multi_label=False):
    """Measures the prediction of the most frequent class, or for multi-label of the most frequent label set.

    Its probabilities are the frequencies of the classes in training; for multi-label 1 for the labels of the set and 0
    for the others.

    Args:
        train_labels: int (m,), m >= 1, or for multi-label int (m, num_classes) of 0 and 1.
        test_labels: labels of the n test examples, likewise.
        class_names: sequence of num_classes names.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        `Baseline`.
    """
    if multi_label:
        label_sets, counts = np.unique(train_labels, axis=0, return_counts=True)
        prediction = label_sets[counts.argmax()].astype("float64")
    else:
        prediction = np.bincount(train_labels, minlength=len(class_names)) / len(train_labels)
    return measure_baseline(
        MAJORITY_LABELS if multi_label else MAJORITY_CLASS,
        lambda: np.tile(prediction, (len(test_labels), 1)),
        test_labels,
        class_names,
        multi_label,
    )
