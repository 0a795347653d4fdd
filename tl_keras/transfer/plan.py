"""The plan of a staged training: phases worked out for one model, as numbers to print, log and check."""

import math

from tl_keras.errors import InputError
from tl_keras.phases import check_phases
from tl_keras.transfer.freezing import block_names, freeze_to, resolve_blocks
from tl_keras.transfer.learning_rates import block_learning_rates


def plan_phases(model, phases, batch_norm="inference"):
    """Works out what each phase means for a model. Leaves the model as the last phase sets it.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: "inference" or "train", see `freeze_to`.

    Returns:
        List of a dict for each phase: `name`, `blocks` (that learn, input side first), `learning_rates` (dict from
        those blocks to their peak rate), `trainable_parameters`, `total_parameters`, `first_epoch`, `epochs`.

    Raises:
        InputError: an empty list, an unknown block or policy, or a phase in which nothing can learn.
    """
    check_phases(phases)
    plan, first_epoch = [], 0
    for phase in phases:
        learning = freeze_to(model, phase.train, batch_norm)
        trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        if not trainable:
            raise InputError(
                f"Phase {phase.name!r} trains nothing: its blocks {learning} have no weights that may learn."
            )
        plan.append(
            {
                "name": phase.name,
                "blocks": learning,
                "learning_rates": block_learning_rates(phase, learning),
                "trainable_parameters": trainable,
                "total_parameters": int(model.count_params()),
                "first_epoch": first_epoch,
                "epochs": phase.epochs,
            }
        )
        first_epoch += phase.epochs
    return plan


def variables_of_all_phases(model, phases, batch_norm="inference"):
    """Lists the variables that learn in any of the phases, in the model's order.

    Leaves exactly those trainable, so that an optimizer built now has room for all and for no more.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: "inference" or "train", see `freeze_to`.

    Returns:
        List of `keras.Variable`.
    """
    blocks = block_names(model)
    learning = {block for phase in phases for block in resolve_blocks(phase.train, blocks)}
    freeze_to(model, [block for block in blocks if block in learning], batch_norm)
    return model.trainable_variables
