"""Cells without training of the network, or with the decision about it: solved heads, and recipe auto."""

from dataclasses import dataclass, replace

import numpy as np

from tl_keras import data, probing
from tl_keras.runs.opening import scratch_run
from tl_keras.studies.backbone_probes import cpu_seconds
from tl_keras.studies.comparison.grid import SOLVED
from tl_keras.studies.comparison.meter import Meter
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import Examples, solve_examples, take_examples
from tl_keras.training.automatic.tuning import reason_against, tune
from tl_keras.training.building import build_with_head
from tl_keras.training.preparation import Preparation
from tl_keras.transfer.multiply_adds import count_multiply_adds


@dataclass(frozen=True, eq=False)
class SharedFeatures:
    """Holds the features of all examples, which one forward pass has computed for the whole grid.

    Attributes:
        reader: `FeatureReader`.
        train: float32 (n, width).
        test: float32 (m, width).
        labels: int (n,).
        forward_seconds: CPU seconds of a forward pass of one example.
        multiply_adds: multiply-adds of a forward pass of one example; those of a text of one token.
    """

    reader: FeatureReader
    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray
    forward_seconds: float
    multiply_adds: int


def share_features(config, splits):
    """Computes the features of the training and of the test examples, or reads them from the store.

    Args:
        config: `RunConfig` with recipe "auto".
        splits: what the task's `load_data` returned.

    Returns:
        `SharedFeatures`.
    """
    reader = FeatureReader(config, splits)
    labels = TASKS[config.task].example_labels(splits.train)
    train, test = reader.read(splits.train), reader.read(splits.test)
    seconds = cpu_seconds(config, reader, splits)
    work = count_multiply_adds(reader.network) * _tokens_per_example(splits.train)
    return SharedFeatures(reader, train, test, labels, seconds, round(work))


def solve_cell(config, splits, shared, method, rows):
    """Solves a head; recipe auto also chooses its input, and tries to tune the network.

    Args:
        config: `RunConfig` with recipe "auto" and the seed of the draw.
        splits: what the task's `load_data` returned.
        shared: `SharedFeatures`.
        method: "solved_head" or "auto".
        rows: int (k,), training examples.

    Returns:
        Tuple of probabilities of the test examples, float (m, num_classes), a dict of the other fields of `Result`, and
        the `SolvedHead`.
    """
    meter, reader = Meter(), shared.reader
    labels = shared.labels[rows]
    examples = Examples(shared.train[rows], labels, probing.make_folds(labels, config.seed), np.arange(len(rows)))
    solved = solve_examples(config, reader, examples, reader.inputs[:1] if method == SOLVED else None)
    steps = epochs = 0
    if method == SOLVED or reason_against(config, solved):
        columns = reader.feature_set(solved.head_input).columns
        probabilities = solved.head.probabilities(shared.test[:, columns])
    else:
        part = replace(splits, train=take_examples(splits.train, rows), validation=splits.validation.take([]))
        probabilities, epochs = _tune(config, part, solved)
        steps = epochs * -(-len(rows) // config.data.batch_size)
    # Training takes three times the work of a forward pass, and here a fifth of the examples judges it.
    work = shared.multiply_adds * len(rows) * (1 + 3 * epochs)
    costs = meter.costs(shared.forward_seconds * len(rows))
    return probabilities, {"steps": steps, "multiply_adds": work, **costs}, solved


def _tune(config, splits, solved):
    config = solved.head_input.configure(config)
    with scratch_run() as run:
        prepared = Preparation(config, None, splits, None, lambda: build_with_head(config, splits, solved), [], solved)
        tuning = tune(prepared, run)
    epochs = len(tuning.history.get("loss", ()))
    return TASKS[config.task].predict(tuning.model, splits.test, config.data.batch_size), epochs


def _tokens_per_example(part):
    """Returns the mean number of tokens of a text, since multiply-adds are those of one token; 1 for images."""
    return len(part.tokens) / len(part.first_rows) if isinstance(part, data.TokenSet) else 1
