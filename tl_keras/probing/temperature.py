"""Temperature scaling of a classifier's logits, judged on examples that were held out."""

from dataclasses import dataclass

import numpy as np

from tl_keras.probing.head_selection import log_losses, standard_error
from tl_keras.probing.linear_head import to_probabilities

LIMIT = 10.0
"""Largest temperature; its inverse is the smallest one."""
HALVINGS = 40
SMALLEST = np.finfo("float32").tiny
FOLDS = 5
MIN_ROWS = 30
"""Examples below which confidence is never changed."""
MIN_ROWS_TO_SHARPEN = 200
"""Examples below which it is never raised."""
MAX_ROWS = 2000
"""Examples that a temperature is fitted on; of more a sample is taken, which bounds the time with many classes."""


@dataclass(frozen=True)
class Temperature:
    """Describes a temperature, and what it gains on examples that it was not fitted on.

    Attributes:
        value: float, what logits are divided by; above 1 it lowers the confidence.
        examples: number of held-out examples that it was fitted on.
        loss: mean log-loss of these without a temperature.
        gain: mean decrease of their log-loss, each under a temperature fitted on the others.
        error: standard error of the gain.
    """

    value: float
    examples: int
    loss: float
    gain: float
    error: float

    @property
    def min_examples(self):
        """Number of examples from which it may be applied, more if it raises the confidence."""
        return MIN_ROWS if self.value > 1 else MIN_ROWS_TO_SHARPEN

    @property
    def min_errors(self):
        """Standard errors that its gain must exceed: two below 1, as false confidence costs more than false doubt."""
        return 1 if self.value > 1 else 2

    @property
    def helps(self):
        """True if the temperature is worth applying."""
        return self.gain > self.min_errors * self.error and self.examples >= self.min_examples


def choose_temperature(probabilities, labels, seed=0):
    """Fits a temperature to held-out examples, and measures its gain by cross-validation among them.

    Args:
        probabilities: float (n, num_classes), of n >= 2 examples that the model did not learn from.
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).
        seed: int, for dividing the examples.

    Returns:
        `Temperature`.
    """
    order = np.random.default_rng(seed).permutation(len(labels))[:MAX_ROWS]
    logits, labels = to_logits(probabilities[order], np.ndim(labels) == 2), labels[order]
    losses, scaled = _losses(logits, labels, 1.0), np.zeros(len(order))
    folds = np.arange(len(order)) % FOLDS
    for fold in np.unique(folds):
        held_out = folds == fold
        temperature = fit_temperature(logits[~held_out], labels[~held_out])
        scaled[held_out] = _losses(logits[held_out], labels[held_out], temperature)
    gains = losses - scaled
    value = fit_temperature(logits, labels)
    return Temperature(value, len(order), float(losses.mean()), float(gains.mean()), standard_error(gains))


def fit_temperature(logits, labels):
    """Finds the temperature with the lowest log-loss (Guo et al., 2017, equation 9).

    The log-loss is convex in the inverse temperature, so that the sign of its derivative leads to the minimum.

    Args:
        logits: float (n, num_classes).
        labels: int (n,), or multi-label 0 and 1 (n, num_classes).

    Returns:
        float, 1 / `LIMIT` to `LIMIT`.
    """
    multi_label = np.ndim(labels) == 2
    targets = labels if multi_label else np.eye(logits.shape[1])[labels]
    low, high = -np.log(LIMIT), np.log(LIMIT)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        errors = to_probabilities(logits * np.exp(middle), multi_label) - targets
        low, high = (low, middle) if np.sum(errors * logits) > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def scale_probabilities(probabilities, temperature, multi_label=False):
    """Computes the probabilities that a model gives once its logits are divided by a temperature.

    Args:
        probabilities: float (n, num_classes).
        temperature: float above 0.
        multi_label: whether each class has a sigmoid of its own.

    Returns:
        float64 (n, num_classes).
    """
    return to_probabilities(to_logits(probabilities, multi_label) / temperature, multi_label)


def to_logits(probabilities, multi_label):
    """Computes logits from probabilities: those of a softmax up to a constant in each row.

    Args:
        probabilities: float (n, num_classes), 0 to 1.
        multi_label: whether each class has a sigmoid of its own.

    Returns:
        float64 (n, num_classes).
    """
    probabilities = np.asarray(probabilities, "float64")
    logits = np.log(np.maximum(probabilities, SMALLEST))
    # A float32 just below 1 is at least this far from it.
    return logits - np.log(np.maximum(1 - probabilities, np.finfo("float32").epsneg)) if multi_label else logits


def _losses(logits, labels, temperature):
    return log_losses(to_probabilities(logits / temperature, np.ndim(labels) == 2), labels)
