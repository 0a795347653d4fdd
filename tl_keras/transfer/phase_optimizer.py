"""The single optimizer of all phases: built over every variable that any phase trains, and checked against them."""

import math

import keras

from tl_keras.errors import InputError, counted
from tl_keras.transfer.staged_adamw import StagedAdamW


def innermost_optimizer(optimizer):
    """Returns the optimizer inside a `LossScaleOptimizer`, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def optimizer_over(optimizer, variables):
    """Builds an optimizer over the given variables.

    Args:
        optimizer: Keras optimizer. It may be built over other variables as long as it has not taken a step.
        variables: list of `keras.Variable`.

    Returns:
        The optimizer itself if it was not built yet or holds exactly these variables, else a new copy.

    Raises:
        InputError: the optimizer has taken steps over other variables.
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
    # `fit` has built the optimizer over the variables trainable at that time, before it called any callback.
    return optimizer_over(unbuilt_copy(optimizer), variables)


def unbuilt_copy(optimizer, changes=None):
    """Creates an optimizer with the same settings and no variables.

    Args:
        optimizer: Keras optimizer.
        changes: dict of settings to change in the innermost optimizer; None (default) changes none.

    Returns:
        Keras optimizer of the same class.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = unbuilt_copy(optimizer.inner_optimizer, changes)
        return type(optimizer)(**optimizer.get_config() | {"inner_optimizer": inner})
    copy = type(optimizer).from_config(optimizer.get_config() | (changes or {}))
    # The exclusions from weight decay are not part of the configuration.
    for name in ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern"):
        if hasattr(optimizer, name):
            setattr(copy, name, getattr(optimizer, name))
    return copy


def recent_gradient(optimizer, variables):
    """Estimates the size of the latest gradients of variables from Adam's second moments.

    Args:
        optimizer: Keras optimizer that was built over the variables.
        variables: list of `keras.Variable`.

    Returns:
        Root mean square of the gradient's elements, a float; None for an optimizer other than Adam and its variants.
    """
    optimizer = innermost_optimizer(optimizer)
    if not isinstance(optimizer, keras.optimizers.Adam):
        return None
    squares = [optimizer._velocities[optimizer._get_variable_index(variable)].numpy() for variable in variables]
    # The moments start at zero, so that the number of steps bounds what they can have reached.
    share = 1 - optimizer.beta_2 ** max(1, int(optimizer.iterations.numpy()))
    return math.sqrt(sum(float(square.sum()) for square in squares) / sum(square.size for square in squares) / share)


def describe_unmoved(phase, optimizer, unmoved):
    """Describes blocks whose weights a phase should have moved and did not.

    Args:
        phase: `Phase`.
        optimizer: Keras optimizer.
        unmoved: dict from block name to its trainable variables.

    Returns:
        List with a sentence for each block.
    """
    sentences = []
    for block, variables in unmoved.items():
        size = recent_gradient(optimizer, variables)
        gradients = "" if size is None else f": their gradients are about {size:.1g}"
        sentences.append(
            f"Block {block!r} is trainable in phase {phase.name!r}, but none of its trainable variables "
            f"moved{gradients}. Raise the learning rate, or start from pretrained weights."
        )
    return sentences


def check_optimizer(optimizer, phases):
    """Checks that an optimizer supports the settings of the phases.

    Args:
        optimizer: Keras optimizer.
        phases: list of `Phase`.

    Raises:
        InputError: the optimizer has a learning rate schedule; `block_decay` or `use_ema` is set without
            `StagedAdamW`; or `use_ema` is combined with `restore_best`.
    """
    optimizer = innermost_optimizer(optimizer)
    if not isinstance(optimizer._learning_rate, keras.Variable):
        raise InputError(
            "The phases set the learning rate, but the optimizer has its own learning rate schedule: "
            "compile with a number as its learning_rate."
        )
    if optimizer.use_ema and any(phase.restore_best for phase in phases):
        raise InputError(
            "restore_best keeps the weights of one epoch and use_ema the average of many: choose one of them."
        )
    if isinstance(optimizer, StagedAdamW):
        return
    if any(phase.block_decay != 1 for phase in phases):
        reason = "block_decay gives blocks different learning rates"
    elif optimizer.use_ema:
        reason = "use_ema averages variables that are trained in different phases"
    else:
        return
    raise InputError(
        f"{reason}, which {type(optimizer).__name__} does not support: compile with tl_keras.StagedAdamW()."
    )


def check_steps(optimizer, phases, steps_per_epoch, may_end=False):
    """Checks that every phase is long enough for one step of accumulated gradients.

    Args:
        optimizer: Keras optimizer.
        phases: list of `Phase`.
        steps_per_epoch: number of batches in an epoch.
        may_end: True if a time limit may end a phase after its first epoch.

    Raises:
        InputError: a phase may end before its first step, so that no weight would move.
    """
    accumulated = innermost_optimizer(optimizer).gradient_accumulation_steps or 1
    for phase in phases:
        min_batches = steps_per_epoch * (1 if phase.until or may_end else phase.epochs)
        if min_batches < accumulated:
            raise InputError(
                f"Phase {phase.name!r} may end after {counted(min_batches, 'batch')}, but one step accumulates the "
                f"gradients of {accumulated}, so nothing would move: set fewer accumulation_steps, smaller batches, or "
                "more epochs."
            )
