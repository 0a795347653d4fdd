"""Linear heads on frozen features: standardized logistic regression, expressed on the raw features."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

VARIANCE_SHRINKAGE = 0.1
"""Share of the mean variance of a group of features in the variance that each of them is divided by."""
MAX_ITERATIONS = 200
TOLERANCE = 1e-4
ABSENT = -30.0
"""Logit of a class without an example."""


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Weights of a last layer.

    Attributes:
        weights: float64 (num_features, num_classes).
        bias: float64 (num_classes,).
        multi_label: whether a sigmoid per class follows, instead of a softmax.
    """

    weights: np.ndarray
    bias: np.ndarray
    multi_label: bool = False

    def logits(self, features):
        """Computes the logits of features (n, num_features), float64 (n, num_classes)."""
        return features @ self.weights + self.bias

    def set_on(self, model):
        """Sets the last layer of a classifier, `head.logits`, whose input are the features of this head."""
        model.get_layer("head.logits").set_weights([self.weights, self.bias])

    def probabilities(self, features):
        """Computes the probabilities of features (n, num_features), float64 (n, num_classes)."""
        return to_probabilities(self.logits(features), self.multi_label)


@dataclass(frozen=True, eq=False)
class Standardization:
    """Maps features to a mean of zero, a similar variance each, and an expected squared length of one.

    Each variance is shrunk towards the mean variance of its group: a feature that happens to be almost constant in few
    examples would otherwise take huge values in new ones.

    Attributes:
        mean: float64 (num_features,).
        factors: float64 (num_features,), 0 for groups of constant features.
    """

    mean: np.ndarray
    factors: np.ndarray

    @classmethod
    def of(cls, features, groups):
        """Estimates the standardization of features.

        Args:
            features: float (n, num_features).
            groups: int (num_features,), the group of each feature.
        """
        mean, variance = features.mean(axis=0, dtype=np.float64), features.var(axis=0, dtype=np.float64)
        typical = (np.bincount(groups, variance) / np.maximum(np.bincount(groups), 1))[groups]
        shrunk = (1 - VARIANCE_SHRINKAGE) * variance + VARIANCE_SHRINKAGE * typical
        factors = np.divide(1, np.sqrt(shrunk), out=np.zeros_like(shrunk), where=shrunk > 0)
        length = np.sum(variance * factors**2)
        return cls(mean, factors / np.sqrt(length) if length else factors)

    def __call__(self, features):
        """Standardizes features (n, num_features), float64."""
        return (features - self.mean) * self.factors


class LogisticFits:
    """Fits logistic regressions of falling penalty to the same examples, each starting from the one before.

    The features are rotated to the space that the examples span. This changes neither the L2 penalty nor the solution,
    and makes the cost depend on the number of examples where these are fewer than the features.

    Args:
        features: float (n, num_features), standardized.
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
        num_classes: number of classes.
        class_weight: "balanced" or None, as in scikit-learn.
    """

    def __init__(self, features, labels, num_classes, class_weight=None):
        self._span, self._features = _rotate(features)
        self._multi_label = np.ndim(labels) == 2
        self._num_classes = num_classes
        # A single classifier of several classes, or one classifier for each label.
        self._targets = list(labels.T) if self._multi_label else [labels]
        self._models = [
            LogisticRegression(max_iter=MAX_ITERATIONS, tol=TOLERANCE, warm_start=True, class_weight=class_weight)
            for _ in self._targets
        ]

    def fit(self, inverse_penalty):
        """Fits with a penalty.

        Args:
            inverse_penalty: scikit-learn's `C`, above 0.

        Returns:
            `LinearHead` on the standardized features.
        """
        weights = np.zeros((self._features.shape[1], self._num_classes))
        bias = np.full(self._num_classes, ABSENT)
        for label, (model, targets) in enumerate(zip(self._models, self._targets, strict=True)):
            classes = np.unique(targets)
            if len(classes) > 1:
                with warnings.catch_warnings():
                    # A fit that stops early is a head like others, and its loss on held-out examples judges it.
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    model.set_params(C=inverse_penalty).fit(self._features, targets)
            if not self._multi_label:
                weights[:, classes], bias[classes] = _per_class(model, classes)
            elif len(classes) > 1:
                weights[:, label], bias[label] = model.coef_[0], model.intercept_[0]
            else:
                # The rule of succession, since a label that is always or never there has no finite optimum.
                bias[label] = (1 if classes[0] else -1) * np.log(len(targets) + 1)
        if self._span is not None:
            rows, directions = self._span
            weights = rows.T @ (directions @ weights)
        return LinearHead(weights, bias, self._multi_label)


def to_probabilities(logits, multi_label):
    """Converts logits to probabilities.

    Args:
        logits: float (n, num_classes).
        multi_label: True for a sigmoid per class, False for a softmax.

    Returns:
        float64 (n, num_classes).
    """
    if multi_label:
        return 1 / (1 + np.exp(-np.clip(logits, ABSENT, -ABSENT)))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def on_raw_features(head, standardization):
    """Folds a standardization into the weights of a head.

    Args:
        head: `LinearHead` on standardized features.
        standardization: `Standardization`.

    Returns:
        `LinearHead` on raw features with the same logits.
    """
    weights = head.weights * standardization.factors[:, np.newaxis]
    return LinearHead(weights, head.bias - standardization.mean @ weights, head.multi_label)


def _rotate(features):
    """Rotates rows to the space that they span, where they are fewer than the features.

    Returns:
        Tuple of two matrices, (n, num_features) and (n, rank), whose product `first.T @ second` is an orthonormal basis
        of the rows, and of the rows in this basis, (n, rank); else None, and the features as they are.
    """
    if len(features) >= features.shape[1]:
        return None, features
    squares, directions = np.linalg.eigh(features @ features.T)
    kept = squares > 1e-12 * max(squares[-1], 1e-300)
    lengths, directions = np.sqrt(squares[kept]), directions[:, kept]
    # The product itself takes longer than the fits.
    return (features, directions / lengths), directions * lengths


def _per_class(model, classes):
    """Returns weights and bias with a column per class; scikit-learn keeps a single one for two classes."""
    if len(classes) == 1:
        return 0.0, 0.0
    if len(classes) > 2:
        return model.coef_.T, model.intercept_
    halves = np.array([-0.5, 0.5])
    return model.coef_.T * halves, model.intercept_ * halves
