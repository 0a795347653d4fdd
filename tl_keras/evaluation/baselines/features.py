"""Baseline on the last layer's features: logistic regression, or for many classes the nearest class mean."""

import warnings

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import NearestCentroid
from threadpoolctl import threadpool_limits

from tl_keras.errors import counted
from tl_keras.evaluation.baselines.baseline import measure_baseline
from tl_keras.evaluation.baselines.logistic import logistic_probabilities, without_small_class_warnings
from tl_keras.evaluation.classification import log_losses
from tl_keras.system.spreading import spread_rows

LAST_LAYER = "logistic regression on last-layer features"
NEAREST_MEAN = "nearest class mean of last-layer features"
MANY_CLASSES = 300
"""Number of classes from which class means replace logistic regression, which would take minutes to hours."""
MAX_EXAMPLES = 20_000
"""Maximum number of training examples; a stratified sample of this size stands for more."""
SMALL = 2_000_000
"""Numbers in the features up to which more than one thread costs more than it saves, up to ten times as much."""
FOLDS = 3
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of scikit-learn's `C` to choose from."""
DEFAULT_STRENGTH = 1e-2
"""`C` for training examples that cannot be cross-validated, such as one of each class."""


def feature_baseline(train_features, train_labels, test_features, test_labels, class_names, multi_label=False):
    """Trains logistic regression on standardized features and measures its predictions for the test examples.

    The L2 penalty is the one with the lowest log-loss in 3-fold cross-validation on the training examples. From
    `MANY_CLASSES` on, the nearest class mean takes its place.

    Args:
        train_features: float (n, channels), features of the training examples.
        train_labels: int (n,), or for multi-label int (n, num_classes) of 0 and 1.
        test_features: float (m, channels), features of the test examples.
        test_labels: labels of the test examples, likewise.
        class_names: sequence of num_classes names.
        multi_label: bool, True if an example may belong to any number of classes.

    Returns:
        `Baseline`, whose name states the number of training examples where they are a sample.
    """
    labels, count = np.asarray(train_labels), len(train_labels)
    compares_means = not multi_label and len(class_names) >= MANY_CLASSES
    name = NEAREST_MEAN if compares_means else LAST_LAYER
    if count > MAX_EXAMPLES:
        rows = _stratified_rows(labels)
        train_features, labels = train_features[rows], labels[rows]
        name += f" ({MAX_EXAMPLES:,} of {counted(count, 'training example')})"

    def predict():
        with threadpool_limits(1 if np.size(train_features) <= SMALL else None):
            features, others = _standardize(train_features, test_features)
            if compares_means:
                return _nearest_mean(features, labels, others, len(class_names))
            strength = _choose_strength(features, labels, len(class_names), multi_label)
            return logistic_probabilities(features, labels, others, len(class_names), multi_label, strength)

    return measure_baseline(name, predict, test_labels, class_names, multi_label)


def _stratified_rows(labels):
    """Selects `MAX_EXAMPLES` rows, evenly spaced in the random order of each class; of several labels at random."""
    rows = np.random.default_rng(0).permutation(len(labels))
    if labels.ndim == 1:
        rows = rows[np.argsort(labels[rows], kind="stable")]
    return rows[spread_rows(rows, MAX_EXAMPLES)]


def _standardize(features, others):
    """Scales features to mean 0 and deviation 1, and rotates them where examples are fewer than channels."""
    features, others = np.asarray(features, "float64"), np.asarray(others, "float64")
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1)
    features, others = (features - mean) / scale, (others - mean) / scale
    if len(features) < features.shape[1]:
        # The penalty is the same in any direction, so the span of the training examples gives the same regression.
        rotation = np.linalg.svd(features, full_matrices=False)[2].T
        features, others = features @ rotation, others @ rotation
    return features, others


def _nearest_mean(features, labels, others, num_classes):
    """Returns 1 for the class with the nearest mean: single examples of classes say nothing about probabilities."""
    with without_small_class_warnings():
        return np.eye(num_classes)[NearestCentroid().fit(features, labels).predict(others)]


def _choose_strength(features, labels, num_classes, multi_label):
    """Returns the value of `STRENGTHS` with the lowest log-loss in cross-validation."""
    folds = _folds(labels)
    if not folds:
        return DEFAULT_STRENGTH
    losses = []
    for strength in STRENGTHS:
        predictions = [
            logistic_probabilities(features[train], labels[train], features[test], num_classes, multi_label, strength)
            for train, test in folds
        ]
        losses.append(sum(_loss(labels[test], found) for (_, test), found in zip(folds, predictions, strict=True)))
    return STRENGTHS[int(np.argmin(losses))]


def _folds(labels):
    """Lists the (training rows, test rows) of each fold, none where two classes cannot be in every training part."""
    if labels.ndim == 2:
        splitter = KFold(min(FOLDS, len(labels)), shuffle=True, random_state=0) if len(labels) > 1 else None
    else:
        second = np.append(np.sort(np.unique(labels, return_counts=True)[1])[::-1], 0)[1]
        splitter = StratifiedKFold(min(FOLDS, second), shuffle=True, random_state=0) if second > 1 else None
    with warnings.catch_warnings():
        # A class with fewer examples than folds is missing in some test parts, which is no problem here.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(splitter.split(labels, labels)) if splitter else []


def _loss(labels, probabilities):
    """Returns the sum of the log-losses; a class missing in training costs the same at each penalty."""
    if labels.ndim == 1:
        return log_losses(labels, probabilities).sum()
    own = np.where(labels, probabilities, 1 - probabilities)
    return -np.log(np.clip(own, np.finfo("float64").eps, None)).sum()
