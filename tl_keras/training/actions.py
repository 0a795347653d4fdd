"""Actions of `python -m tl_keras.train` in place of training: printing the phases, searching a learning rate."""

from pathlib import Path

from tl_keras import callbacks, distribution, evaluation, transfer
from tl_keras.config.config_text import phases_text
from tl_keras.errors import InputError
from tl_keras.recipes import AUTO
from tl_keras.tasks.registry import TASKS
from tl_keras.training import fitting, workers
from tl_keras.training.building import build_model
from tl_keras.training.phase_features import PhaseFeatures
from tl_keras.training.preparation import prepare

HIGHEST_RATES = (1.0, 100.0, 10_000.0)
"""Ends of a sweep; the next one is taken where the loss still falls at the end."""


def print_phases(config):
    """Prints the phases of a run as a table, and as YAML to edit and give to --config.

    The other workers of a cluster are counted, but not waited for.

    Args:
        config: `RunConfig`.
    """
    _require_phases(config, "print_phases")
    prepared = prepare(config, distribution.outline_cluster(config.distribute))
    model, phases = prepared.model, prepared.phases
    plan = transfer.plan_phases(model, phases, config.batch_norm)
    print(callbacks.phase_table(plan))
    for sentence in fitting.find_warnings(config, model, phases, plan, len(prepared.splits.train)):
        print(f"note: {sentence}")
    for record in plan:
        rates = ", ".join(f"{block} {rate:.2g}" for block, rate in record["learning_rates"].items())
        print(f"learning rates of {record['name']}: {rates}")
    for line in PhaseFeatures(config, model, prepared.splits, phases).describe():
        print(line)
    print(f"phases:\n{phases_text(phases)}", end="")


def find_learning_rate(config):
    """Searches the learning rate of the first phase, and draws the loss over the rates.

    The search runs on one device, with steps over the batch of all devices, because a rate that is given by hand is not
    scaled.

    Args:
        config: `RunConfig`.
    """
    _require_phases(config, "find_learning_rate")
    prepared = prepare(config, distribution.outline_cluster(config.distribute))
    model = workers.plain_model(lambda: build_model(config, prepared.splits), prepared.model)
    phase = prepared.phases[0]
    transfer.freeze_to(model, phase.train, config.batch_norm)
    learner = fitting.make_learner(config, model, phase)
    inputs = TASKS[config.task].training_inputs(config, prepared.splits, 0, num_replicas=prepared.num_replicas)
    curve = _sweep(learner, inputs["x"])
    plot = Path(f"{config.run}-learning_rate.png" if config.run else "learning_rate.png")
    evaluation.plot_learning_rate_curve(curve.rates, curve.losses, curve.smoothed, curve.suggestion, plot)
    print(f"phase {phase.name}: {_suggest(config, curve)} ({plot})")


def _sweep(learner, batches):
    """Sweeps to a learning rate of 1, and further while the loss still falls at the highest one."""
    for highest in HIGHEST_RATES:
        curve = transfer.find_learning_rate(learner, batches, highest=highest)
        if not curve.still_falling:
            break
    return curve


def _suggest(config, curve):
    """Returns a sentence on the suggested rate, and on how it is given to a training."""
    if curve.suggestion is None:
        return f"no rate to suggest. {curve.remark}"
    rate = f"{curve.suggestion:.2g}"
    use = f"set learning_rate: {rate} in the first phase" if config.phases else f"use --learning_rate {rate}"
    return f"suggested learning_rate {rate}: {use}{f'. {curve.remark}' if curve.remark else ''}"


def _require_phases(config, action):
    if config.recipe == AUTO:
        raise InputError(
            f"{action} needs a recipe with phases, but auto solves the head and tunes the network only if that pays: "
            "give --recipe progressive_unfreezing or --phases."
        )
