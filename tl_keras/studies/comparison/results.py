"""Results of cells, of classifiers and of detectors: costs, the score, and what its interval is computed from."""

import math
from dataclasses import dataclass, fields

import numpy as np

from tl_keras import evaluation
from tl_keras.studies.comparison.student import student_quantile

RESAMPLES = 400
MAX_LABELS, MAX_COST = 10**9, 1e24
"""Maximum figures of a cell, which others may have written; sums and plots of larger ones overflow."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Holds what the training of a cell cost; subclasses add what the test examples showed."""

    labels: int
    """Number of labelled examples that the method had."""
    cpu_seconds: float
    """CPU seconds of training, with one forward pass of the training examples where the method needs it."""
    seconds: float
    """Elapsed seconds, likewise."""
    steps: int
    """Steps of the optimizer; 0 for solved heads."""
    multiply_adds: int | None
    """Multiply-adds of the networks; None where there is no network, or for detectors."""
    joules: float | None
    """Energy of the machine meanwhile; None without a counter."""

    @classmethod
    def is_valid(cls, values, num_test):
        """Returns whether a dict, which a stranger may have made, holds the fields of a result of the test examples."""
        if values.keys() != {field.name for field in fields(cls)}:
            return False
        costs_are_valid = all(_is_cost(values[field.name], field.type) for field in fields(Result))
        return costs_are_valid and 1 <= values["labels"] <= MAX_LABELS and cls._is_measured(values, num_test)


@dataclass(frozen=True, kw_only=True)
class ClassResult(Result):
    """Holds the result of a classifier."""

    correct: str
    """For each test example "1" if it was classified correctly, else "0"."""

    @property
    def accuracy(self):
        """Share of the test examples that was classified correctly."""
        return self.correct.count("1") / len(self.correct)

    @property
    def score(self):
        """Figure that methods are compared by."""
        return self.accuracy

    def resampled(self, counts):
        """Computes the score on resamples, float (resamples,), from their counts of examples, int (resamples, n)."""
        return counts @ self._are_correct() / len(self.correct)

    @staticmethod
    def margin(pairs):
        """Computes the half-width of the 95 % interval over test examples of a mean difference.

        Args:
            pairs: list of two results for each draw, whose scores are compared.
        """
        differences = np.mean([own._are_correct() - other._are_correct() for own, other in pairs], axis=0)
        return evaluation.Z * np.std(differences) / np.sqrt(len(differences))

    @staticmethod
    def _is_measured(values, num_test):
        correct = values["correct"]
        return isinstance(correct, str) and len(correct) == num_test and not set(correct) - {"0", "1"}

    def _are_correct(self):
        return np.array(list(self.correct), float)


@dataclass(frozen=True, kw_only=True)
class BoxResult(Result):
    """Holds the result of a detector."""

    test_images: int
    """Number of test images."""
    average_precision_50: float
    """Average precision at IoU 0.5."""
    mean_average_precision: float
    """COCO's mAP, the mean over IoU 0.5 to 0.95."""
    resampled_precisions: list
    """`average_precision_50` on each of the resamples of `resample_examples`, the same for all cells."""

    @property
    def score(self):
        """Figure that methods are compared by."""
        return self.average_precision_50

    def resampled(self, counts):
        """Returns the score on the resamples, which were drawn when the detections were there; see `ClassResult`."""
        return np.array(self.resampled_precisions)

    @staticmethod
    def margin(pairs):
        """Computes what `ClassResult.margin` does, by the bootstrap, since precision is no mean over images.

        A bootstrap of few images is too narrow by the factor of the uncorrected variance; their t quantile is used.
        """
        count = pairs[0][0].test_images
        own, other = (np.mean([pair[side].resampled_precisions for pair in pairs], axis=0) for side in (0, 1))
        freedom = max(count - 1, 1)
        return student_quantile(freedom) * np.std(own - other) * math.sqrt(count / freedom)

    @staticmethod
    def _is_measured(values, num_test):
        precisions = values["resampled_precisions"]
        if not isinstance(precisions, list) or len(precisions) != RESAMPLES or values["test_images"] != num_test:
            return False
        own = values["average_precision_50"], values["mean_average_precision"]
        return all(_is_cost(value, float) and value <= 1 for value in (*own, *precisions))


def resample_examples(generator, num_test):
    """Draws test examples with replacement; returns how often each resample has each, int (RESAMPLES, num_test)."""
    examples = generator.integers(num_test, size=(RESAMPLES, num_test))
    return np.stack([np.bincount(row, minlength=num_test) for row in examples])


def _is_cost(value, kind):
    """Returns whether a value is a finite number of a kind, or None where the kind allows it."""
    if value is None:
        return isinstance(value, kind)
    # JSON may write a whole number of seconds without a point.
    return isinstance(value, kind | int) and not isinstance(value, bool) and 0 <= value <= MAX_COST
