"""Compares the epochs of a phase by its metric, and restores the weights of the best one."""

from tl_keras.errors import InputError
from tl_keras.phases import is_better


def note_epoch(phase, logs, state):
    """Updates the best value of a phase and the number of epochs since.

    Args:
        phase: `Phase` with `until` or `restore_best`.
        logs: dict of the metrics that `fit` reports for the epoch.
        state: `ProgressiveUnfreezing.state`. Its `best` and `waited` are changed.

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
    if improved := is_better(phase.mode, value, state["best"], min_delta):
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
        InputError: no epoch was the best, because the monitored metric was never a number.
    """
    if not best_weights:
        raise InputError(
            f"Phase {phase.name!r} has no best weights, because its {phase.monitor} was never a number: "
            "lower its learning rate, or look for values in the data that are not finite."
        )
    for variable, best in zip(variables, best_weights, strict=True):
        variable.assign(best)
