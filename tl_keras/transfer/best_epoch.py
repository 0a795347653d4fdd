"""Compares the epochs of a phase by its metric, and restores the weights of the best one."""

from tl_keras.errors import InputError
from tl_keras.models import metric_direction
from tl_keras.phases import is_better
from tl_keras.system.stored.arrays import are_alike


def monitor_mode(phase, model):
    """Returns the direction in which the monitored metric of a phase is better.

    Args:
        phase: `Phase`.
        model: compiled `keras.Model`.

    Returns:
        "min" or "max".

    Raises:
        InputError: nothing tells whether lower or higher values are better.
    """
    mode = (phase.until and phase.until.mode) or metric_direction(model, phase.monitor)
    if mode is None:
        raise InputError(
            f"Phase {phase.name!r} monitors {phase.monitor!r}, and neither its class nor its name tells whether it is "
            "better when lower or higher: give its `until` a mode, min or max."
        )
    return mode


def note_epoch(phase, logs, state, mode="min"):
    """Updates the best value of a phase and the number of epochs since.

    Args:
        phase: `Phase` with `until` or `restore_best`.
        logs: dict of the metrics that `fit` reports for the epoch.
        state: `ProgressiveUnfreezing.state`. Its `best` and `waited` are changed.
        mode: "min" (default) if lower values of the monitored metric are better, "max" if higher ones are.

    Returns:
        True if the epoch is the best so far.

    Raises:
        InputError: `fit` does not report the monitored metric.
    """
    if phase.monitor not in logs:
        raise InputError(
            f"Phase {phase.name!r} monitors {phase.monitor!r}, which fit does not report: it reports "
            f"{', '.join(logs)}; give validation data, in every epoch, or another monitor."
        )
    value, min_delta = logs[phase.monitor], phase.until.min_delta if phase.until else 0.0
    if improved := is_better(mode, value, state["best"], min_delta):
        state |= {"best": float(value), "waited": 0}
    else:
        state["waited"] += 1
    return improved


def assign_best(phase, variables, best_weights):
    """Restores the weights of the best epoch of a phase.

    Args:
        phase: `Phase` that ends.
        variables: list of `keras.Variable`.
        best_weights: list of their arrays; empty if no epoch was the best.

    Raises:
        InputError: no epoch was the best, because the monitored metric was never a number, or the arrays are of another
            model, as those of a forged checkpoint may be.
    """
    if not best_weights:
        raise InputError(
            f"Phase {phase.name!r} has no best weights, because its {phase.monitor} was never a number: "
            "lower its learning rate, or look for values in the data that are not finite."
        )
    if not are_alike(best_weights, variables):
        raise InputError(
            f"The weights of the best epoch of phase {phase.name!r} are of another model: remove the checkpoints that "
            "the run has resumed from."
        )
    for variable, best in zip(variables, best_weights, strict=True):
        variable.assign(best)
