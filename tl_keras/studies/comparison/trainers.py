"""Trains the cells of a comparison, each by its method."""

import numpy as np

from tl_keras.config.derived import derive
from tl_keras.studies.comparison.grid import (
    ALL,
    AUTO,
    FINE_TUNING,
    RANDOM_WEIGHTS,
    SCRATCH,
    SOLVED,
    UNFREEZING,
    draw_rows,
)
from tl_keras.studies.comparison.heads import share_features, solve_cell
from tl_keras.studies.comparison.results import ClassResult
from tl_keras.studies.comparison.scratch import ScratchTrainer, train_random_weights
from tl_keras.studies.comparison.tuned import TunedNetwork
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.suspicious import describe_suspicious


class Trainers:
    """Trains cells by their methods; what cells share is built when the first one needs it.

    Args:
        config: `RunConfig` with recipe "auto".
        splits: what the task's `load_data` returned.
        methods: tuple of the methods of the grid.
        budgets: tuple of its budgets.
        limit: `TimeLimit`.
    """

    def __init__(self, config, splits, methods, budgets, limit):
        self._config, self._splits, self._budgets, self._limit = config, splits, budgets, limit
        self._recipes = [method for method in methods if method in (FINE_TUNING, UNFREEZING)]
        self._shared = self._tuned = self._scratch = None
        self._labels = TASKS[config.task].example_labels(splits.train)
        self.suspicious = []
        """Sentences on labels that are probably wrong, once a head is solved on all of them."""

    def train(self, cell):
        """Trains a cell and returns its `ClassResult`; raises `OutOfTime`."""
        rows = draw_rows(self._labels, cell.budget, cell.draw, self._config.seed)
        config = derive(self._config, seed=self._config.seed + cell.draw)
        if cell.method in (SOLVED, AUTO):
            *predicted, solved = solve_cell(config, self._splits, self._features(), cell.method, rows)
            if cell.budget == ALL:
                self.suspicious = describe_suspicious(config, self._splits, solved)
        elif cell.method == SCRATCH:
            predicted = self._scratch_trainer().train(rows, config.seed)
        elif cell.method == RANDOM_WEIGHTS:
            predicted = train_random_weights(config, self._splits, rows, self._limit)
        else:
            forward = self._features().forward_seconds
            predicted = self._network().train(cell.method, rows, config.seed, forward)
        probabilities, costs = predicted
        correct = np.argmax(probabilities, axis=1) == TASKS[config.task].example_labels(self._splits.test)
        return ClassResult(labels=len(rows), correct="".join("01"[one] for one in correct.astype(int)), **costs)

    def _features(self):
        if self._shared is None:
            self._shared = share_features(self._config, self._splits)
        return self._shared

    def _scratch_trainer(self):
        if self._scratch is None:
            self._scratch = ScratchTrainer(self._config, self._splits, self._limit)
        return self._scratch

    def _network(self):
        if self._tuned is None:
            self._tuned = TunedNetwork(self._config, self._splits, self._recipes, self._budgets)
        return self._tuned
