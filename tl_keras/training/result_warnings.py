"""Warnings on trainings whose figures mean little: the loss rose, the time ended them, or nothing was found."""

import math

from tl_keras import evaluation
from tl_keras.errors import counted

LOSS_RISE = 1.1
"""Factor between the losses of the first and the last epoch from which the training has diverged, beyond noise."""
LOW_PRECISION = 0.01


def find_warnings(metrics, history, phases, verdict=()):
    """Finds signs of a failed training, and its cause.

    Args:
        metrics: dict of test metrics.
        history: dict from metric name to its value in each epoch, None in epochs that do not report it.
        phases: list of the log lines of the phases, dicts of `epochs` and perhaps of `planned_epochs` and `ended_by`.
        verdict: sentences of `compare_with_baselines`.

    Returns:
        Tuple of sentences.
    """
    found = (*_cut_short(phases), *_rising_loss(history), *_nothing_found(metrics))
    return found or _unexplained(verdict)


def _unexplained(verdict):
    if not any(sentence.startswith(evaluation.NO_BETTER) for sentence in verdict):
        return ()
    return ("Something went wrong in the training, or the classes are too unequal for this comparison.",)


def _cut_short(phases):
    if all(phase.get("ended_by") != "time" for phase in phases):
        return ()
    done = sum(phase["epochs"] for phase in phases)
    planned = sum(phase.get("planned_epochs", phase["epochs"]) for phase in phases)
    return (
        f"Warning: max_time ended the training after {done} of {counted(planned, 'planned epoch')}: more time may give "
        "better figures.",
    )


def _rising_loss(history):
    losses, validation = ([loss for loss in history.get(name, []) if loss is not None] for name in ("loss", "val_loss"))
    if len(losses) < 2 or (math.isfinite(losses[-1]) and losses[-1] <= LOSS_RISE * losses[0]):
        return ()
    # The loss of a detector may rise with the number of its proposals while it improves.
    if len(validation) > 1 and validation[-1] < validation[0]:
        return ()
    return (
        f"Warning: the training loss rose from {losses[0]:.3g} to {losses[-1]:.3g}: the training has diverged; a lower "
        "learning rate may help.",
    )


def _nothing_found(metrics):
    precision = metrics.get("average_precision_50")
    if precision is None or precision >= LOW_PRECISION:
        return ()
    return (
        f"Warning: hardly any object is found (average precision {precision:.3f} at IoU 0.5): train for more epochs, "
        "or check the boxes in training_boxes.png.",
    )
