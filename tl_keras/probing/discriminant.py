"""Shrunk-covariance discriminant: a linear head in closed form, for many classes."""

import numpy as np

from tl_keras.probing.linear_head import ABSENT, LinearHead

MEDIUM_PENALTY = 100.0
"""Inverse penalty at which the identity is added times the mean variance."""


class DiscriminantFits:
    """Fits linear discriminants with different shrinkage to the same examples.

    The classes share a covariance, S, that of the examples about the means of their classes. It is shrunk to
    S + r I with r = (`MEDIUM_PENALTY` / inverse penalty) × the mean variance, as in Friedman 1989, "Regularized
    Discriminant Analysis", section 3. The cost hardly depends on the number of classes.

    Args:
        features: float (n, num_features), standardized.
        labels: int (n,).
        num_classes: number of classes.
    """

    def __init__(self, features, labels, num_classes):
        self._counts = np.bincount(labels, minlength=num_classes)
        sums = np.zeros((num_classes, features.shape[1]))
        np.add.at(sums, labels, features)
        self._means = sums / np.maximum(self._counts, 1)[:, np.newaxis]
        centred = features - self._means[labels]
        self._covariance = centred.T @ centred / len(features)
        self._mean_variance = features.var(axis=0).mean()

    def fit(self, inverse_penalty):
        """Fits with a penalty.

        Args:
            inverse_penalty: above 0; lower values shrink more.

        Returns:
            `LinearHead` on the standardized features.
        """
        ridge = MEDIUM_PENALTY / inverse_penalty * self._mean_variance
        shrunk = self._covariance + max(ridge, 1e-12) * np.eye(len(self._covariance))
        weights = np.linalg.solve(shrunk, self._means.T)
        bias = np.log(np.maximum(self._counts, 1)) - np.sum(self._means.T * weights, axis=0) / 2
        return LinearHead(weights * (self._counts > 0), np.where(self._counts > 0, bias, ABSENT))
