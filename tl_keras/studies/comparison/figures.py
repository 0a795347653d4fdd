"""Figures of a comparison: scores over draws, paired gains, labels saved, and the cost of an accuracy."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tl_keras import probing
from tl_keras.evaluation.intervals import Z
from tl_keras.studies.comparison.grid import AUTO, FROM_SCRATCH, Cell
from tl_keras.studies.comparison.results import RESAMPLES, resample_examples
from tl_keras.studies.comparison.student import student_quantile
from tl_keras.studies.comparison.terms import CLASSES, Terms

NEXT_LABELS = (50, 100, 200)
MIN_CURVE = 2
"""Measured numbers of labels that a label curve takes."""


@dataclass(frozen=True)
class Gain:
    """Difference in score from training from scratch on the same labels, paired over draws and test examples.

    Attributes:
        mean: mean over the draws that both have.
        low: lower end of the 95 % interval.
        high: upper end.
        draws: number of draws.
    """

    mean: float
    low: float
    high: float
    draws: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """Holds the finished cells of a comparison and answers questions about them.

    Attributes:
        results: dict from `Cell` to `Result`.
        methods: names of the methods, in the order of training.
        budgets: budgets, ascending.
        draws: number of draws.
        num_cells: number of cells of the whole grid.
        num_test: number of test examples.
        notes: sentences on data and time.
        facts: dict of what describes the comparison, such as the data and the image size.
        terms: `Terms` of the task.
    """

    results: dict
    methods: tuple
    budgets: tuple
    draws: int
    num_cells: int
    num_test: int
    notes: tuple = ()
    facts: dict = field(default_factory=dict)
    terms: Terms = CLASSES

    @property
    def can_tell(self):
        """Returns whether there are enough test examples for any statement about transfer."""
        return self.num_test >= self.terms.min_test

    def of(self, method, budget):
        """Returns the finished results of a method, a dict from the number of the draw to `Result`."""
        cells = {draw: Cell(method, budget, draw) for draw in range(self.draws)}
        return {draw: self.results[cell] for draw, cell in cells.items() if cell in self.results}

    def mean(self, method, budget, name):
        """Returns the mean of a field or property of `Result` over draws; None without a figure."""
        values = [getattr(result, name) for result in self.of(method, budget).values()]
        return float(np.mean(values)) if values and None not in values else None

    def spread(self, method, budget):
        """Returns the standard deviation of the score over draws; None for fewer than two."""
        values = [result.score for result in self.of(method, budget).values()]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def budgets_of(self, *methods):
        """Returns the budgets at which all these methods have a common draw."""
        return tuple(budget for budget in self.budgets if self._common(methods, budget))

    @cached_property
    def reference(self):
        """Name of the method without pretrained weights that others are compared with; None if none was measured."""
        return next((method for method in FROM_SCRATCH if method in self.methods and self.budgets_of(method)), None)

    @cached_property
    def transfer(self):
        """Name of the method that the verdict is about: auto, the default of training, or else the first measured.

        It is fixed before anything is measured, since the best of several seems to win even where all are equal.
        """
        candidates = [method for method in self.methods if method not in FROM_SCRATCH and self.budgets_of(method)]
        return AUTO if AUTO in candidates else next(iter(candidates), None)

    def gain(self, method, budget):
        """Compares a method with training from scratch.

        The variance is the sum of that over draws and that over test examples, which all draws share. One draw has the
        latter only. A test set is no finer than half an example.

        Returns:
            `Gain`; None without a common draw.
        """
        draws = self._common((method, self.reference), budget) if self.reference else []
        if not draws:
            return None
        pairs = [(self.of(method, budget)[draw], self.of(self.reference, budget)[draw]) for draw in draws]
        differences = [own.score - other.score for own, other in pairs]
        margin = max(self.terms.result.margin(pairs), Z * 0.5 / self.num_test)
        if len(draws) > 1:
            error = np.std(differences, ddof=1) / np.sqrt(len(draws))
            margin = np.hypot(margin, student_quantile(len(draws) - 1) * error)
        mean = float(np.mean(differences))
        return Gain(mean, max(-1.0, mean - margin), min(1.0, mean + margin), len(draws))

    def labels(self, method, budget):
        """Returns the mean number of labels of a budget."""
        return self.mean(method, budget, "labels")

    def labels_needed(self, method, budget):
        """Estimates the labels that training from scratch needs for the score of a method at a budget.

        Returns:
            Tuple of two floats, inf for more than was measured; None where there are too few figures.
        """
        curve = self._curve(self.reference) if self.reference else None
        if curve is None or budget not in self.budgets_of(method):
            return None
        return curve.labels_needed(self._errors(method, (budget,))[:, 0])

    def next_labels(self, method):
        """Predicts the score with more labels than were measured.

        Returns:
            Dict from the number of further labels to a tuple of two floats, or to None where it cannot be decided.
        """
        curve = self._curve(method)
        if curve is None:
            return {}
        ranges = {more: curve.error_range(curve.labels[-1] + more) for more in NEXT_LABELS}
        return {more: errors and (1 - errors[1], 1 - errors[0]) for more, errors in ranges.items()}

    @cached_property
    def target(self):
        """Highest mean score from scratch, which the others are timed to; None if scratch was not measured."""
        if self.reference is None:
            return None
        return max(self.mean(self.reference, budget, "score") for budget in self.budgets_of(self.reference))

    def cheapest(self, method):
        """Returns the budget with the fewest CPU seconds at which the mean score of a method is at least `target`."""
        reached = [
            budget
            for budget in self.budgets_of(method)
            if self.target is not None and self.mean(method, budget, "score") >= self.target
        ]
        return min(reached, key=lambda budget: self.mean(method, budget, "cpu_seconds"), default=None)

    def _common(self, methods, budget):
        return sorted(set.intersection(*(set(self.of(method, budget)) for method in methods)))

    def _curve(self, method):
        budgets = self.budgets_of(method)
        if len(budgets) < MIN_CURVE:
            return None
        return probing.fit_label_curve(
            [self.labels(method, budget) for budget in budgets], self._errors(method, budgets)
        )

    def _errors(self, method, budgets):
        """Returns errors of resampled draws and test examples, the same examples for all methods."""
        generator = np.random.default_rng(0)
        counts = resample_examples(generator, self.num_test)
        draws = generator.integers(self.draws, size=(RESAMPLES, self.draws))
        columns = []
        for budget in budgets:
            results = list(self.of(method, budget).values())
            by_draw = 1 - np.stack([result.resampled(counts) for result in results], axis=1)
            columns.append(np.take_along_axis(by_draw, draws % len(results), axis=1).mean(axis=1))
        # Without a mistake the logarithm would be infinite: the rule of succession for half an example.
        return np.maximum(np.stack(columns, axis=1), 0.5 / self.num_test)
