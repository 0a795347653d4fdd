"""Solves a head on the pooled features of a frozen network, and chooses blocks and penalty for it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tl_keras import data, probing
from tl_keras.recipes import FEW_LABELS
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader, HeadInput

MAX_EXAMPLES = 10_000
"""Examples of a part that a head is solved on; of more a sample is taken, which bounds memory and time."""
DEFAULT_INVERSE_PENALTY = 100.0
"""Inverse penalty where no example can be held out."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Holds the labelled examples that a head may learn from, as features.

    Attributes:
        features: float32 (n, width), training examples before validation examples.
        labels: int (n,), or multi-label (n, num_classes).
        folds: list of (training rows, held-out rows); empty if nothing can be held out.
        fit_rows: int (k,), the rows that the final head learns from.
    """

    features: np.ndarray
    labels: np.ndarray
    folds: list
    fit_rows: np.ndarray


@dataclass(frozen=True, eq=False)
class HeldOutPredictions:
    """Holds what a model predicts for examples that it did not learn from.

    Attributes:
        labels: int (n,), or multi-label (n, num_classes).
        probabilities: float (n, num_classes).
    """

    labels: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class SolvedHead:
    """Describes a solved head and how it was chosen.

    Attributes:
        head_input: `HeadInput` that it reads.
        head: `probing.LinearHead`.
        held_out: `probing.HeldOut`, or None if nothing could be held out.
        examples: `Examples` that it learned from.
        reader: `FeatureReader`.
        lines: sentences on the decisions.
    """

    head_input: HeadInput
    head: Any
    held_out: Any
    examples: Examples
    reader: FeatureReader
    lines: tuple[str, ...]

    @property
    def predictions(self):
        """`HeldOutPredictions` of the heads that were solved without these examples; None without any."""
        if self.held_out is None:
            return None
        return HeldOutPredictions(self.examples.labels[self.held_out.rows], self.held_out.probabilities)


def solve(config, splits, reader):
    """Solves a head on all labelled examples.

    Args:
        config: `RunConfig` whose image size is decided.
        splits: what the task's `load_data` returned at this size.
        reader: `FeatureReader` of the pretrained network at this size.

    Returns:
        `SolvedHead`.
    """
    return solve_examples(config, reader, collect_examples(config, reader, splits))


def solve_examples(config, reader, examples, inputs=None):
    """Chooses what a head reads, and solves it on labelled examples.

    Args:
        config: `RunConfig`.
        reader: `FeatureReader` of the features.
        examples: `Examples`.
        inputs: list of `HeadInput` to choose from; None takes `reader.inputs`.

    Returns:
        `SolvedHead`.
    """
    inputs = reader.inputs if inputs is None else inputs
    if not examples.folds:
        chosen = inputs[-1]
        head = solve_rows(config, reader, examples, examples.fit_rows, chosen, DEFAULT_INVERSE_PENALTY)
        line = f"head on {chosen.name}: no class has a second example to compare it on"
        return SolvedHead(chosen, head, None, examples, reader, (line,))
    results, held_out, chosen = choose_input(config, reader, examples, inputs)
    losses = list_losses([result.feature_set.name for result in results], results)
    line = f"head on {chosen.name}: {losses}{_note_single(reader.class_names, examples)}"
    head = solve_rows(config, reader, examples, examples.fit_rows, chosen, held_out.inverse_penalty)
    return SolvedHead(chosen, head, held_out, examples, reader, (line,))


def choose_input(config, reader, examples, inputs=None):
    """Chooses what a head reads by its loss on held-out examples, see `probing.choose`.

    Args:
        config: `RunConfig`.
        reader: `FeatureReader` of the features.
        examples: `Examples` with folds.
        inputs: list of `HeadInput` to choose from; None takes `reader.inputs`.

    Returns:
        Tuple of the `probing.HeldOut` of each of them, the chosen one, and its `HeadInput`.
    """
    inputs = reader.inputs if inputs is None else inputs
    results = [measure(config, reader, examples, head_input) for head_input in inputs]
    held_out = probing.choose(results)
    return results, held_out, inputs[results.index(held_out)]


def measure(config, reader, examples, head_input):
    """Measures heads on held-out examples, see `probing.measure_feature_set`.

    Args:
        config: `RunConfig`.
        reader: `FeatureReader` of the features.
        examples: `Examples` with folds.
        head_input: one of `reader.inputs`.

    Returns:
        `probing.HeldOut` of the best penalty.
    """
    with _one_thread():
        return probing.measure_feature_set(
            examples.features,
            examples.labels,
            len(reader.class_names),
            reader.feature_set(head_input),
            examples.folds,
            _class_weight(config),
            config.seed,
        )


def solve_rows(config, reader, examples, rows, head_input, inverse_penalty):
    """Solves a head on some of the examples.

    Args:
        config: `RunConfig`.
        reader: `FeatureReader` of the features.
        examples: `Examples`.
        rows: int (k,), the examples to learn from.
        head_input: one of `reader.inputs`.
        inverse_penalty: scikit-learn's `C`.

    Returns:
        `probing.LinearHead`.
    """
    with _one_thread():
        return probing.solve_head(
            examples.features[rows],
            examples.labels[rows],
            len(reader.class_names),
            reader.feature_set(head_input),
            inverse_penalty,
            _class_weight(config),
        )


def collect_examples(config, reader, splits):
    """Reads the features of the training and of the validation examples, and says which of them are held out when.

    Args:
        config: `RunConfig` whose image size is decided.
        reader: `FeatureReader` of the features.
        splits: what the task's `load_data` returned at this size.

    Returns:
        `Examples`.
    """
    parts = labelled_parts(config, splits)
    features = [reader.read(part) for part in parts]
    labels = np.concatenate([TASKS[config.task].example_labels(part) for part in parts])
    every, count = np.arange(len(labels)), len(features[0])
    if len(parts) == 1:
        return Examples(features[0], labels, probing.make_folds(labels, config.seed), every)
    refit = len(labels) <= FEW_LABELS if config.refit is None else config.refit
    folds = [(every[:count], every[count:])]
    return Examples(np.concatenate(features), labels, folds, every if refit else every[:count])


def labelled_parts(config, splits):
    """Lists the parts whose examples heads learn from, in the order of `Examples`, each sampled if it is large.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
    """
    return [sample_examples(part, config.seed) for part in (splits.train, splits.validation) if len(part)]


def _note_single(class_names, examples):
    """Returns the end of a sentence that counts the classes with a single example."""
    if examples.labels.ndim == 2:
        return ""
    single = np.flatnonzero(np.bincount(examples.labels, minlength=len(class_names)) == 1)
    names = data.first_of(class_names[label] for label in single)
    return f"; classes with a single example are in no held-out part: {names}" if single.size else ""


def list_losses(names, results):
    """Returns the part of a sentence that says what the candidates of a decision reach, and how one is chosen.

    Args:
        names: list of str, one for each result.
        results: list of `probing.HeldOut`.
    """
    # Losses of less than 0.01 would look equal with three decimals.
    numbers = [f"{one.loss:.3f}" if one.loss >= 0.01 else f"{one.loss:.2g}" for one in results]
    losses = ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))
    rule = "; the first within one standard error of the lowest is taken" if len(results) > 1 else ""
    return f"log-loss of held-out examples {losses} (lower is better{rule})"


def sample_examples(part, seed):
    """Returns a part of the splits, or a random sample of `MAX_EXAMPLES` of its examples.

    Args:
        part: a part of the splits.
        seed: int.
    """
    owners = getattr(part, "owners", None)
    count = len(part) if owners is None else owners[-1] + 1
    if count <= MAX_EXAMPLES:
        return part
    chosen = np.sort(np.random.default_rng(seed).permutation(count)[:MAX_EXAMPLES])
    return take_examples(part, chosen)


def take_examples(part, examples):
    """Returns some examples of a part of the splits, those of texts in windows with all their windows.

    Args:
        part: a part of the splits.
        examples: int (k,), ascending.
    """
    owners = getattr(part, "owners", None)
    return part.take(examples if owners is None else np.flatnonzero(np.isin(owners, examples)))


def whole_texts(part):
    """Returns windows of texts in the form whose predictions are averaged over each text; other parts as they are."""
    return part if getattr(part, "owners", None) is None else replace(part, windows=part)


def _one_thread():
    # More threads take up to ten times the CPU seconds on matrices of this size.
    return threadpool_limits(1)


def _class_weight(config):
    return None if config.data.class_weight == "none" else config.data.class_weight
