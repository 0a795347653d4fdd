"""Makes comparisons without training."""

import numpy as np

from tl_keras.studies.comparison.figures import Comparison
from tl_keras.studies.comparison.grid import Cell
from tl_keras.studies.comparison.results import RESAMPLES, BoxResult, ClassResult
from tl_keras.studies.comparison.terms import BOXES

LABELS = {"5": 50, "20": 200, "all": 400}


def make_result(accuracy, labels=50, num_test=200, seed=0, **costs):
    """Makes a result with an accuracy; which test examples are correct depends on the seed."""
    order = np.random.default_rng(seed).permutation(num_test)
    correct = "".join("1" if place < round(accuracy * num_test) else "0" for place in order)
    fields = {"cpu_seconds": 2.0, "seconds": 1.0, "steps": 10, "multiply_adds": 10**9, "joules": None} | costs
    return ClassResult(labels=labels, correct=correct, **fields)


def make_box_result(precision, images=50, num_test=100, noise=0.02, seed=0):
    """Makes a result of a detector, whose average precision on resamples has a standard deviation."""
    resampled = np.random.default_rng(seed).normal(precision, noise, RESAMPLES).clip(0, 1).tolist()
    figures = {"average_precision_50": precision, "mean_average_precision": precision / 2}
    costs = {"cpu_seconds": 2.0, "seconds": 1.0, "steps": 10, "multiply_adds": None, "joules": None}
    return BoxResult(labels=images, test_images=num_test, resampled_precisions=resampled, **figures, **costs)


def make_box_comparison(precisions, draws=2, num_test=100):
    """Makes a comparison of detectors, whose average precisions differ by a hundredth between draws."""
    results = {
        Cell(method, budget, draw): make_box_result(value + 0.01 * draw, images, num_test, seed=draw)
        for method, values in precisions.items()
        for (budget, images), value in zip(LABELS.items(), values, strict=True)
        for draw in range(draws)
    }
    facts, count = {"data": "crowns"}, len(results)
    return Comparison(results, tuple(precisions), tuple(LABELS), draws, count, num_test, (), facts, BOXES)


def make_comparison(accuracies, draws=3, num_test=200, notes=(), **costs):
    """Makes a comparison.

    Args:
        accuracies: dict from a method to its accuracy at each key of `LABELS`; None for cells that are missing.
        draws: number of draws, whose accuracies differ by a hundredth.
        num_test: number of test examples.
        notes: sentences.
        costs: fields of each `Result`.
    """
    results = {}
    for method, values in accuracies.items():
        for (budget, labels), accuracy in zip(LABELS.items(), values, strict=True):
            for draw in range(draws if accuracy is not None else 0):
                shifted = accuracy + 0.01 * (draw - (draws - 1) / 2)
                results[Cell(method, budget, draw)] = make_result(shifted, labels, num_test, **costs)
    cells = len(accuracies) * len(LABELS) * draws
    facts = {"data": "photos", "backbone": "vgg16"}
    return Comparison(results, tuple(accuracies), tuple(LABELS), draws, cells, num_test, notes, facts)
