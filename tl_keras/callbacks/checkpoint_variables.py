"""Which variables a checkpoint holds, and how many bytes they take."""

import hashlib
import math

from tl_keras.transfer.audit import bytes_of
from tl_keras.transfer.freezing import changeable_variables
from tl_keras.transfer.phase_optimizer import innermost_optimizer
from tl_keras.transfer.staged_adamw import StagedAdamW


def saved_variables(model, untouched):
    """Lists what a checkpoint holds of a model.

    Args:
        model: compiled `keras.Model`, its optimizer built.
        untouched: list of `keras.Variable` that no phase so far has changed.

    Returns:
        Dict from name to `keras.Variable`: those of all layers that may have changed, the optimizer's, and what the
        model itself draws random numbers with, as a detector does its samples.
    """
    optimizer, still = innermost_optimizer(model.optimizer), set(map(id, untouched))
    if isinstance(optimizer, StagedAdamW):
        moments = zip(optimizer._trainable_variables, optimizer._momentums, optimizer._velocities, strict=True)
        still |= {id(moment) for variable, *both in moments if id(variable) in still for moment in both}
    named = {f"model-{number}": v for number, v in enumerate(v for layer in model.layers for v in layer.variables)}
    named |= {f"seed-{number}": seed.state for number, seed in enumerate(model._seed_generators)}
    named |= {f"optimizer-{number}": variable for number, variable in enumerate(model.optimizer.variables)}
    return {name: variable for name, variable in named.items() if id(variable) not in still}


def digest_of(variables):
    """Hashes the values of a list of `keras.Variable`, a hexadecimal SHA-256."""
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(bytes_of(variable))
    return digest.hexdigest()


def largest_checkpoint(model, unfreezing):
    """Counts the bytes of the largest checkpoint of a run, that of its last phase.

    Args:
        model: compiled `keras.Model`, its optimizer built.
        unfreezing: its `ProgressiveUnfreezing`, prepared.

    Returns:
        An int, without the few thousand bytes of the history.
    """
    variables = list(saved_variables(model, unfreezing.untouched[-1]).values())
    if any(phase.restore_best for phase in unfreezing.phases):
        variables += changeable_variables(model)
    return model_bytes(variables)


def model_bytes(variables):
    """Counts the bytes of a list of `keras.Variable`."""
    return sum(math.prod(variable.shape) * variable.value.dtype.size for variable in variables)
