"""Makes comparisons without training."""

import numpy as np

from tl_keras.studies.comparison.figures import Comparison
from tl_keras.studies.comparison.grid import Cell
from tl_keras.studies.comparison.results import ClassResult

LABELS = {"5": 50, "20": 200, "all": 400}


def make_result(accuracy, labels=50, num_test=200, seed=0, **costs):
    """Makes a result with an accuracy; which test examples are correct depends on the seed."""
    order = np.random.default_rng(seed).permutation(num_test)
    correct = "".join("1" if place < round(accuracy * num_test) else "0" for place in order)
    fields = {"cpu_seconds": 2.0, "seconds": 1.0, "steps": 10, "multiply_adds": 10**9, "joules": None} | costs
    return ClassResult(labels=labels, correct=correct, **fields)


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
