"""Cells that train the network: fine-tuning and progressive unfreezing, all on one network and one forward pass."""

import functools
import math
from dataclasses import replace

import keras

from tl_keras import transfer
from tl_keras.config.derived import derive
from tl_keras.data import ImageSet
from tl_keras.phases import total_epochs
from tl_keras.runs.opening import scratch_run
from tl_keras.studies.comparison.grid import ALL, draw_rows
from tl_keras.studies.comparison.meter import Meter
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting
from tl_keras.training.automatic.solved_head import take_examples
from tl_keras.training.building import build_model, choose_phases
from tl_keras.transfer.multiply_adds import count_multiply_adds

MONITORED = 8
"""Training examples that stand in for a validation set, which decides nothing here: all labels are trained on."""


class TunedNetwork:
    """Trains one network again and again from its pretrained weights, each time on other labels.

    For images, the activations before the blocks that cells train are computed in one pass, and kept in memory;
    therefore images are not augmented.

    Args:
        config: `RunConfig` with recipe "auto".
        splits: what the task's `load_data` returned.
        methods: names of the recipes that cells will have.
        budgets: budgets that cells will have.
    """

    def __init__(self, config, splits, methods, budgets):
        self._splits = splits
        self._configs = {method: recipe_config(config, method) for method in methods}
        own = next(iter(self._configs.values()))
        self._task = TASKS[config.task]
        self._model = build_model(own, splits)
        self._initial = [variable.numpy() for variable in self._model.variables]
        self._labels = self._task.example_labels(splits.train)
        # Shares the weights, and is traced once, since compiling never touches it.
        self._predictor = keras.Model(self._model.input, self._model.output)
        self._shared = _SharedActivations(self._model, splits, self._plans(budgets), own) if self._is_image() else None

    def train(self, method, rows, seed, forward_seconds):
        """Trains on some of the examples.

        Args:
            method: name of a recipe.
            rows: int (k,), training examples.
            seed: int, for the head's initial weights and the order of the examples.
            forward_seconds: CPU seconds of a forward pass of one example.

        Returns:
            Tuple of probabilities of the test examples, float (m, num_classes), and a dict of the other fields of
            `Result`.
        """
        meter = Meter()
        config = derive(self._configs[method], seed=seed)
        part = take_examples(self._splits.train, rows)
        splits = replace(self._splits, train=part, validation=part.take(range(min(MONITORED, len(part)))))
        self._restart(config)
        phases = choose_phases(config, self._model, len(part))
        features = self._shared and self._shared.of_rows(phases, rows)
        with scratch_run() as run:
            fitting.fit_phases(config, self._model, splits, phases, run, features=features)
        work, cached = self._work(phases, len(rows))
        costs = meter.costs(forward_seconds * len(rows) if cached else 0)
        steps = total_epochs(phases) * math.ceil(len(part) / config.data.batch_size)
        return self._predict(features), {"steps": steps, "multiply_adds": work, **costs}

    def _is_image(self):
        return isinstance(self._splits.train, ImageSet)

    def _plans(self, budgets):
        """Lists the phases of all cells, as far as they differ."""
        counts = {len(draw_rows(self._labels, budget, 0)) for budget in (*budgets, ALL)}
        return [choose_phases(config, self._model, count) for config in self._configs.values() for count in counts]

    def _restart(self, config):
        """Restores the pretrained weights, and draws those of the head."""
        keras.utils.set_random_seed(config.seed)
        for variable, value in zip(self._model.variables, self._initial, strict=True):
            variable.assign(value)
        for layer in self._model.layers:
            if layer.name.startswith("head.") and hasattr(layer, "kernel"):
                layer.kernel.assign(keras.initializers.GlorotUniform(config.seed)(layer.kernel.shape))
        self._task.compile_model(config, self._model, fitting.make_optimizer(config.optimizer))

    def _predict(self, features):
        if features and features.last_cut is not None:
            return self._shared.predict(features.last_cut)
        size = next(iter(self._configs.values())).data.batch_size
        return self._task.predict(self._predictor, self._splits.test, size)

    def _work(self, phases, count):
        """Counts the multiply-adds of a training, and says whether the frozen part is computed once."""
        whole = count_multiply_adds(self._model)
        cuts = self._shared.cuts_of(phases) if self._shared else [None] * len(phases)
        total = 0
        for phase, cut in zip(phases, cuts, strict=True):
            suffix = whole if cut is None else whole - self._shared.work(cut)
            total += 3 * phase.epochs * suffix * count
        cached = [cut for cut in cuts if cut is not None]
        return total + max((self._shared.work(cut) for cut in cached), default=0) * count, bool(cached)


def recipe_config(config, method):
    """Returns the configuration of a recipe that trains the network.

    Args:
        config: `RunConfig` with recipe "auto".
        method: name of the recipe.

    Returns:
        `RunConfig` without augmentation, whose images have the same size.
    """
    data = replace(config.data, augmentation="none", validation_fraction=None)
    return replace(config, recipe=method, refit=None, restore_best=False, data=data, max_time=None)


class _SharedActivations:
    """Keeps the activations of all examples at the cuts of all phases."""

    def __init__(self, model, splits, plans, config):
        self._config, self._cuts = config, {}
        for phases in plans:
            for phase, cut in zip(phases, transfer.find_cuts_of_phases(model, phases), strict=True):
                # Each call packs tensors anew, so the first cut before a block stands for all.
                self._cuts.setdefault(_key(phase), cut)
        distinct = {id(cut): cut for cut in self._cuts.values() if cut is not None}
        part = transfer.FrozenPart(model, list(distinct.values()))
        stores = dict.fromkeys(distinct)
        source = functools.partial(transfer.ImageSource, batch_size=config.data.batch_size)
        self._train = part.compute(source(splits.train), stores) if distinct else {}
        self._test = part.compute(source(splits.test), stores) if distinct else {}
        self._works = {key: count_multiply_adds(keras.Model(model.input, cut)) for key, cut in distinct.items()}
        self._suffixes = {key: transfer.suffix_model(model, cut) for key, cut in distinct.items()}

    def cuts_of(self, phases):
        """Returns the cut of each phase; None where it trains the whole network."""
        return [self._cuts[_key(phase)] for phase in phases]

    def of_rows(self, phases, rows):
        """Returns the features of some training examples, as `fit_phases` takes them."""
        return _RowFeatures(self.cuts_of(phases), self._train, rows)

    def predict(self, cut):
        """Computes the probabilities of the test examples from their activations."""
        values = self._test[id(cut)].images
        return self._suffixes[id(cut)].predict(values, batch_size=self._config.data.batch_size, verbose=0)

    def work(self, cut):
        """Returns the multiply-adds of one example before a cut."""
        return self._works[id(cut)]


class _RowFeatures:
    """Selects the activations of some examples for each phase."""

    def __init__(self, cuts, activations, rows):
        self._cuts, self._activations, self._rows = cuts, activations, rows

    @property
    def last_cut(self):
        """Cut of the last phase."""
        return self._cuts[-1]

    def of(self, index):
        """Returns the cut of a phase and its `Features`; None where it trains on the examples."""
        cut = self._cuts[index]
        if cut is None:
            return None
        part = self._activations[id(cut)].take(self._rows)
        return cut, transfer.Features(part, part.take(range(min(MONITORED, len(part)))))


def _key(phase):
    return phase.train if isinstance(phase.train, str) else tuple(phase.train)
