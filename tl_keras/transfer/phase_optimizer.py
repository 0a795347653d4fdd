"""The one optimizer of all phases: made over every variable that any of them trains, refused where it cannot do it."""

import keras

from tl_keras.errors import InputError
from tl_keras.transfer.staged_adamw import StagedAdamW


def innermost_optimizer(optimizer):
    """Gives the optimizer that a `LossScaleOptimizer` wraps, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def optimizer_over(optimizer, variables):
    """Builds an optimizer over some variables.

    Args:
        optimizer: Keras optimizer; one that has not taken a step may have been built over others.
        variables: list of `keras.Variable`.

    Returns:
        The optimizer itself where it was not built yet or holds these variables, else a fresh copy.

    Raises:
        InputError: it has taken steps over other variables.
    """
    inner = innermost_optimizer(optimizer)
    if not inner.built:
        optimizer.build(variables)
        return optimizer
    if list(map(id, inner._trainable_variables)) == list(map(id, variables)):
        return optimizer
    if inner.iterations.numpy() > 0:
        raise InputError(
            "The optimizer has already taken steps over other variables than the phases train: "
            "compile the model again with a new optimizer before this fit."
        )
    # Keras builds the optimizer over what is trainable when `fit` is called, before any callback is asked.
    return optimizer_over(unbuilt_copy(optimizer), variables)


def unbuilt_copy(optimizer, changes=None):
    """Makes an optimizer of the same settings that has no variables yet.

    Args:
        optimizer: Keras optimizer.
        changes: dict of settings of the innermost optimizer that shall differ; None: none.

    Returns:
        Keras optimizer of the same class.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = unbuilt_copy(optimizer.inner_optimizer, changes)
        return type(optimizer)(**optimizer.get_config() | {"inner_optimizer": inner})
    copy = type(optimizer).from_config(optimizer.get_config() | (changes or {}))
    # Which variables are spared by weight decay is no part of the configuration.
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        if hasattr(optimizer, name):
            setattr(copy, name, getattr(optimizer, name))
    return copy


def check_optimizer(optimizer, phases):
    """Refuses an optimizer that cannot do what the phases ask.

    Args:
        optimizer: Keras optimizer.
        phases: list of `Phase`.

    Raises:
        InputError: a schedule of its own, blocks at different rates or averages without `StagedAdamW`, or averages
            where a phase hands on its best weights.
    """
    optimizer = innermost_optimizer(optimizer)
    if not isinstance(optimizer._learning_rate, keras.Variable):
        raise InputError(
            "The phases set the learning rate, but the optimizer was given a schedule of its own: "
            "compile with a number as its learning_rate."
        )
    if optimizer.use_ema and any(phase.restore_best for phase in phases):
        raise InputError(
            "restore_best hands on the weights of one epoch and use_ema the average of many: choose one of them."
        )
    if isinstance(optimizer, StagedAdamW):
        return
    if any(phase.block_decay != 1 for phase in phases):
        reason = "block_decay gives blocks different learning rates"
    elif optimizer.use_ema:
        reason = "use_ema averages variables that learn in different phases"
    else:
        return
    raise InputError(f"{reason}, which {type(optimizer).__name__} cannot do: compile with tl_keras.StagedAdamW().")


def check_steps(optimizer, phases, steps_per_epoch, may_end=False):
    """Refuses a phase that may end before the gradients of its batches have made one step.

    Args:
        optimizer: Keras optimizer.
        phases: list of `Phase`.
        steps_per_epoch: number of batches in an epoch.
        may_end: whether phases may end for want of time.

    Raises:
        InputError: so many gradients make one step that nothing would move.
    """
    batches = innermost_optimizer(optimizer).gradient_accumulation_steps or 1
    for phase in phases:
        surely = steps_per_epoch * (1 if phase.until or may_end else phase.epochs)
        if surely < batches:
            raise InputError(
                f"Phase {phase.name!r} may end after {surely} batches, but the gradients of {batches} make a step, and "
                "nothing would move: take fewer accumulation_steps, smaller batches, or more epochs."
            )
