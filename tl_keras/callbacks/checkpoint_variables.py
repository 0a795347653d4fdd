"""Variables that a checkpoint contains, and their size in bytes."""

import hashlib
import math

from tl_keras.transfer.audit import bytes_of
from tl_keras.transfer.freezing import changeable_variables
from tl_keras.transfer.phase_optimizer import innermost_optimizer
from tl_keras.transfer.staged_adamw import StagedAdamW


def saved_variables(model, untouched):
    """Lists the variables of a model that a checkpoint contains.

    Args:
        model: compiled `keras.Model` whose optimizer is built.
        untouched: list of `keras.Variable` that no phase so far has changed.

    Returns:
        Dict from name to `keras.Variable`: layer variables that may have changed, the optimizer's variables, and the
        model's own random generators, with which for example a detector samples.
    """
    optimizer, excluded = innermost_optimizer(model.optimizer), set(map(id, untouched))
    if isinstance(optimizer, StagedAdamW):
        moments = zip(optimizer._trainable_variables, optimizer._momentums, optimizer._velocities, strict=True)
        excluded |= {id(moment) for variable, *both in moments if id(variable) in excluded for moment in both}
    named = {f"model-{number}": v for number, v in enumerate(v for layer in model.layers for v in layer.variables)}
    named |= {f"seed-{number}": seed.state for number, seed in enumerate(model._seed_generators)}
    named |= {f"optimizer-{number}": variable for number, variable in enumerate(model.optimizer.variables)}
    return {name: variable for name, variable in named.items() if id(variable) not in excluded}


def digest_of(variables):
    """Computes the hexadecimal SHA-256 of the values of a list of `keras.Variable`."""
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(bytes_of(variable))
    return digest.hexdigest()


def largest_checkpoint(model, unfreezing):
    """Computes the size of the largest checkpoint of a run, that of its last phase.

    Args:
        model: compiled `keras.Model` whose optimizer is built.
        unfreezing: its prepared `ProgressiveUnfreezing`.

    Returns:
        Number of bytes, int, without the few thousand bytes of the history.
    """
    variables = list(saved_variables(model, unfreezing.untouched[-1]).values())
    if any(phase.restore_best for phase in unfreezing.phases):
        variables += changeable_variables(model)
    return model_bytes(variables)


def model_bytes(variables):
    """Computes the size in bytes of a list of `keras.Variable`."""
    return sum(math.prod(variable.shape) * variable.value.dtype.size for variable in variables)
