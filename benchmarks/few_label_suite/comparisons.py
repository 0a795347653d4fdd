"""Statistics of the cells: means over draws, ranks, and differences paired over draws."""

import math
import statistics
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True)
class Row:
    """All draws of all contenders on one data set with one number of labels."""

    set: str
    """Key of `SETS`."""
    budget: str
    """Labels of each class, or "all"."""
    draws: dict
    """From contender to a dict from the number of a draw to its result."""

    def values(self, contender, figure):
        """Lists the figure of each draw of a contender; the CPU seconds of draw 0 only, since others reuse features."""
        draws = self.draws[contender]
        return [draws[draw][figure] for draw in draws if figure != "cpu_seconds" or draw == 0]

    def mean(self, contender, figure):
        """Computes the mean of a figure over the draws, NaN without any."""
        return statistics.mean(self.values(contender, figure) or [math.nan])


@dataclass(frozen=True)
class Difference:
    """Difference in accuracy between two contenders."""

    mean: float
    """Mean over the draws that both have, above zero if the first is better."""
    error: float
    """Standard error of the mean; at least one test example, since a test set is no finer than that."""

    @property
    def outcome(self):
        """1 for a win of the first beyond two standard errors, -1 for a loss, 0 otherwise."""
        return int(math.copysign(1, self.mean)) if abs(self.mean) > 2 * self.error else 0


def group_cells(cells):
    """Groups results by data set and number of labels.

    Args:
        cells: dict from `Cell` to its result.

    Returns:
        List of `Row`.
    """
    rows = defaultdict(lambda: defaultdict(dict))
    for cell, result in cells.items():
        rows[cell.set, cell.budget][cell.contender][cell.draw] = result
    return [Row(name, budget, dict(draws)) for (name, budget), draws in rows.items()]


def compare(row, first, second):
    """Compares the accuracy of two contenders, paired over draws.

    Args:
        row: `Row`.
        first, second: names of contenders.

    Returns:
        `Difference`, or None unless both have at least two common draws.
    """
    draws = _common_draws(row, first, second)
    if len(draws) < 2:
        return None
    gains = [row.draws[first][draw]["accuracy"] - row.draws[second][draw]["accuracy"] for draw in draws]
    one_example = 1 / row.draws[first][draws[0]]["test_examples"]
    return Difference(statistics.mean(gains), max(statistics.stdev(gains) / math.sqrt(len(gains)), one_example))


@dataclass(frozen=True)
class Pairing:
    """Means of two contenders over the rows and draws that both have, row by row."""

    rows: int
    """Number of the rows."""
    first: float
    """Accuracy of the first."""
    second: float
    """Accuracy of the second."""
    error: float
    """Standard error of their difference over the draws."""
    first_seconds: float
    """CPU seconds of the first."""
    second_seconds: float
    """CPU seconds of the second."""


def pair(rows, first, second):
    """Pairs two contenders over the rows that both have, so that others do not count for one of them alone.

    Args:
        rows: list of `Row`.
        first, second: names of contenders.

    Returns:
        `Pairing`, or None without a row in which both have two common draws.
    """
    common = [(row, difference) for row in rows if (difference := compare(row, first, second))]
    if not common:
        return None
    accuracies = []
    for name in (first, second):
        own = [[row.draws[name][draw]["accuracy"] for draw in _common_draws(row, first, second)] for row, _ in common]
        accuracies.append(statistics.mean(map(statistics.mean, own)))
    error = math.hypot(*(difference.error for _, difference in common)) / len(common)
    seconds = [statistics.mean(row.mean(name, "cpu_seconds") for row, _ in common) for name in (first, second)]
    return Pairing(len(common), *accuracies, error, *seconds)


def mean_ranks(rows):
    """Computes the mean rank of each contender by mean accuracy, 1 for the best; ties share their mean rank.

    Args:
        rows: list of `Row`; contenders are ranked in each row among those that it has.

    Returns:
        Dict from contender to float.
    """
    ranks = defaultdict(list)
    for row in rows:
        contenders = list(row.draws)
        accuracies = np.array([row.mean(contender, "accuracy") for contender in contenders])
        for contender, rank in zip(contenders, rankdata(-accuracies.round(6)), strict=True):
            ranks[contender].append(rank)
    return {contender: float(np.mean(values)) for contender, values in ranks.items()}


def mean_over_sets(rows, contender, figure):
    """Computes the mean of a figure over data sets.

    Args:
        rows: list of `Row` with the same number of labels, one for each data set.
        contender: name of the contender.
        figure: key of a result.

    Returns:
        Float, or None if the contender lacks one of the rows, since other sets would give another mean.
    """
    if not rows or any(contender not in row.draws for row in rows):
        return None
    return statistics.mean(row.mean(contender, figure) for row in rows)


def _common_draws(row, first, second):
    return sorted(row.draws.get(first, {}).keys() & row.draws.get(second, {}).keys())
