"""Tries whether tuning the network beats the solved head on held-out examples, and keeps it only if it does."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tl_keras import probing
from tl_keras.config.derived import derive
from tl_keras.errors import counted
from tl_keras.system.time_limit import NO_LIMIT
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting
from tl_keras.training.automatic.comparing import tune_by_comparing
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.solved_head import (
    Examples,
    HeldOutPredictions,
    SolvedHead,
    measure,
    sample_examples,
    solve_rows,
    take_examples,
    whole_texts,
)
from tl_keras.training.building import build_with_head, choose_phases

SOLVED, TUNED, TUNED_AND_SOLVED = "solved head", "tuned network", "tuned network, head solved again"
COMPARED = "network tuned by comparing, head solved again"


@dataclass(frozen=True, eq=False)
class Tuning:
    """Holds what recipe auto ends with.

    Attributes:
        model: `keras.Model`, tuned or with the solved head.
        solved: `SolvedHead` that the trial started from.
        history: dict from metric name to its value in each epoch of the trial; empty if there was none.
        line: a sentence on the decision.
        kept: name of the contender that is kept.
        num_trained: number of labelled examples that the model has learned from.
        held_out: `HeldOutPredictions` of the model that is kept; None where it has learned from all examples.
    """

    model: Any
    solved: SolvedHead
    history: dict
    line: str
    kept: str
    num_trained: int
    held_out: HeldOutPredictions | None = None


def tune(prepared, run, limit=NO_LIMIT):
    """Trains the network from the solved head, and keeps it if it is better on held-out examples.

    The validation examples, or a fifth of the labels where none are held out, judge: the log-loss of the tuned network,
    and that of a head solved again on its features, are compared with that of a head solved on the same training
    examples. A tuned network is kept if its loss is lower by more than the standard error of the paired difference.
    Few texts are compared instead, see `tune_by_comparing`, and none are held out.

    Args:
        prepared: `Preparation` of a run with recipe "auto". Its model is changed.
        run: `RunFolder`.
        limit: `TimeLimit` of the run; without time for an epoch nothing is tried.

    Returns:
        `Tuning`.
    """
    config, solved = prepared.config, prepared.solved
    if reason := reason_against(config, solved, limit):
        return Tuning(prepared.model, solved, {}, reason, SOLVED, len(solved.examples.fit_rows), solved.predictions)
    count = len(solved.examples.labels)
    if not _compares(config, count):
        return _tune_and_judge(prepared, run, limit)
    model, history = tune_by_comparing(config, prepared.splits, solved, run, limit.left)
    line = (
        f"{COMPARED}: {counted(count, 'label is', 'labels are')} too few to hold out some that judge it, and for texts "
        "it pays without them"
    )
    return Tuning(model, solved, history, line, COMPARED, len(solved.examples.fit_rows))


def _tune_and_judge(prepared, run, limit):
    config, solved, model = prepared.config, prepared.solved, prepared.model
    train, held_out = solved.examples.folds[0]
    splits = _hold_out(prepared.splits, train, held_out)
    head = solve_rows(config, solved.reader, solved.examples, train, solved.head_input, solved.held_out.inverse_penalty)
    head.set_on(model)
    labels, judging = solved.examples.labels[held_out], whole_texts(sample_examples(splits.validation, config.seed))
    losses = {SOLVED: probing.log_losses(_predict(config, model, judging), labels)}
    history = fitting.fit_phases(config, model, splits, tuning_phases(config, model, len(train)), run, limit.left)
    tuned = _predict(config, model, judging)
    losses[TUNED] = probing.log_losses(tuned, labels)
    reader = FeatureReader(config, splits, model, keep=False)
    examples = _read_again(reader, splits, solved.examples, (train, held_out), config.seed)
    again = measure(config, reader, examples, reader.inputs[0])
    losses[TUNED_AND_SOLVED] = again.losses
    kept, line = _judge(losses)
    predictions = {
        SOLVED: solved.predictions,
        TUNED: HeldOutPredictions(labels, tuned),
        TUNED_AND_SOLVED: HeldOutPredictions(labels, again.probabilities),
    }[kept]
    num_trained = TASKS[config.task].count(splits.train)
    if kept == SOLVED:
        model = build_with_head(config, prepared.splits, solved)
        num_trained = len(solved.examples.fit_rows)
    if kept == TUNED_AND_SOLVED:
        count = len(solved.examples.labels)
        rows = np.arange(count) if len(solved.examples.fit_rows) == count else np.arange(len(train))
        solve_rows(config, reader, examples, rows, reader.inputs[0], again.inverse_penalty).set_on(model)
        num_trained = max(num_trained, len(rows))
    return Tuning(model, solved, history, line, kept, num_trained, predictions)


def tuning_phases(config, model, num_examples):
    """Returns the phases of tuning: one that trains more of the last blocks the more examples there are.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        num_examples: number of training examples.

    Returns:
        List of `Phase`.
    """
    recipe = "fine_tuning" if config.task == "image_classification" else "linear_probe_then_fine_tune"
    return choose_phases(derive(config, recipe=recipe), model, num_examples)[-1:]


def _compares(config, count):
    """Says whether the labels are so few that the network is tuned by comparing, without examples to judge it."""
    return count <= TASKS[config.task].max_compared_labels and not config.data.multi_label


def reason_against(config, solved, limit=NO_LIMIT):
    """Finds why the network is not tuned.

    Args:
        config: `RunConfig` with recipe "auto".
        solved: `SolvedHead`.
        limit: `TimeLimit` of the run.

    Returns:
        A sentence, or "" if it is tuned.
    """
    count, needed = len(solved.examples.labels), TASKS[config.task].min_tuned_labels
    if count < needed and not _compares(config, count):
        return f"tuning is tried from {counted(needed, 'label')} on, and here are {count}"
    if not solved.examples.folds:
        return "tuning is not tried: no class has a second example to compare it with"
    # An epoch reads each example once more.
    seconds = count * (solved.reader.seconds_per_example or 0)
    if limit.left is None or limit.left > seconds:
        return ""
    epoch = f", and an epoch would take at least {seconds:.0f} s" if seconds else ""
    return f"tuning is not tried: {limit.left:.0f} s of max_time are left{epoch}"


def _hold_out(splits, train, held_out):
    """Returns splits whose validation part judges the tuning."""
    if len(splits.validation):
        return splits
    return replace(splits, train=take_examples(splits.train, train), validation=take_examples(splits.train, held_out))


def _predict(config, model, examples):
    return TASKS[config.task].predict(model, examples, config.data.batch_size)


def _read_again(reader, splits, examples, fold, seed):
    """Reads the features of the tuned network: those of the training examples before those that judge."""
    parts = [sample_examples(part, seed) for part in (splits.train, splits.validation)]
    features = np.concatenate([reader.read(part) for part in parts])
    rows = np.arange(len(features))
    train, held_out = fold
    new_fold = rows[: len(train)], rows[len(train) :]
    return Examples(features, examples.labels[np.concatenate([train, held_out])], [new_fold], rows)


def _judge(losses):
    """Returns which of the contenders is kept, and a sentence."""
    best = min(losses, key=lambda name: losses[name].mean())
    gain = losses[SOLVED] - losses[best]
    kept = best if gain.mean() > probing.standard_error(gain) else SOLVED
    shown = ", ".join(f"{name} {values.mean():.3f}" for name, values in losses.items())
    rule = "lower is better; tuning is kept only if it gains more than the standard error of the difference"
    return kept, f"{kept} is kept: log-loss of {counted(len(gain), 'held-out example')} {shown} ({rule})"
