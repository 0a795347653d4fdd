"""Training plan: the phases resolved for one model, as numbers to print, log and check."""

import math
from collections import Counter
from itertools import pairwise

import keras

from tl_keras.errors import InputError, counted
from tl_keras.phases import check_phases, total_epochs
from tl_keras.transfer.freezing import block_names, changeable_variables, freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import MIN_SHARE, block_learning_rates, moving_blocks


def plan_phases(model, phases, batch_norm="inference", ends=()):
    """Resolves each phase for a model. Leaves the model's flags as set by the last phase.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`, at least one.
        batch_norm: "inference" (default), "recalibrate" or "train", see `freeze_to`.
        ends: for each phase that has ended, the first epoch after it; default: none has.

    Returns:
        List with a dict per phase: `name`, `blocks` (the trainable ones, input side first), `learning_rates` (dict
        from those blocks to their peak rate), `trainable_parameters`, `total_parameters`, `first_epoch` and `epochs`
        (those it took if it has ended, else its maximum).

    Raises:
        InputError: the list is empty, a block or the policy is unknown, or a phase has no trainable weights.
    """
    check_phases(phases)
    plan, first_epoch = [], 0
    for index, phase in enumerate(phases):
        blocks = freeze_to(model, phase.train, batch_norm)
        trainable_parameters = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        if not trainable_parameters:
            raise InputError(f"Phase {phase.name!r} trains nothing: its blocks {blocks} have no trainable weights.")
        plan.append(
            {
                "name": phase.name,
                "blocks": blocks,
                "learning_rates": block_learning_rates(phase, blocks),
                "trainable_parameters": trainable_parameters,
                "total_parameters": int(model.count_params()),
                "first_epoch": first_epoch,
                "epochs": ends[index] - first_epoch if index < len(ends) else phase.epochs,
            }
        )
        first_epoch += plan[-1]["epochs"]
    return plan


def find_warnings(model, phases, plan, solved=()):
    """Finds phases that are valid but probably mistakes.

    Args:
        model: the `keras.Model` of the plan.
        phases: list of `Phase`.
        plan: the result of `plan_phases` for them.
        solved: names of blocks whose weights are solved after the phases.

    Returns:
        List of sentences about blocks named twice in a phase, consecutive phases with the same trainable blocks, rates
        too low to move a block, and blocks that are never trained although an earlier one is.
    """
    sentences = [
        f"phase {number} names {name} {count} times"
        for number, phase in enumerate(phases, start=1)
        for name, count in Counter(phase.train if isinstance(phase.train, list) else ()).items()
        if count > 1
    ]
    sentences += [
        f"phases {number} and {number + 1} train the same blocks: {', '.join(record['blocks'])}"
        for number, (record, successor) in enumerate(pairwise(plan), start=1)
        if record["blocks"] == successor["blocks"]
        and record["trainable_parameters"] == successor["trainable_parameters"]
    ]
    for number, record in enumerate(plan, start=1):
        moving = moving_blocks(record["learning_rates"])
        if still := [block for block in record["blocks"] if block not in moving]:
            sentences.append(
                f"phase {number} hardly moves {still[0]}{f' to {still[-1]}' if len(still) > 1 else ''}: block_decay "
                f"leaves {counted(len(still), 'block')} less than {MIN_SHARE:g} of its rate"
            )
    blocks, trained = block_names(model), {block for record in plan for block in record["blocks"]}
    first, trained = min(map(blocks.index, trained)), trained | set(solved)
    if idle := [block for block in blocks[first:] if block not in trained]:
        sentences.append(f"never trained, though the earlier {blocks[first]} is: {', '.join(idle)}")
    return sentences


def find_epoch_mismatch(phases, epochs):
    """Describes a `fit` whose epochs are not those of its phases.

    Args:
        phases: list of `Phase`.
        epochs: the `epochs` of `fit`; None if unknown.

    Returns:
        List with a sentence, or an empty one.
    """
    total = total_epochs(phases)
    if epochs is None or epochs == total:
        return []
    if epochs > total:
        return [f"fit has epochs={epochs}, but the phases have {total} together: it stops after the last phase."]
    if any(phase.until for phase in phases):
        return []
    return [
        f"fit has epochs={epochs}, but the phases have {total} together: it ends before the last phase does. Give "
        f"epochs={total}, or call fit again with initial_epoch={epochs}."
    ]


def variables_of_all_phases(model, phases, batch_norm="inference"):
    """Lists the variables that any of the phases trains, in the model's order.

    An optimizer built over them has exactly the state it needs. Leaves the model's flags as set by the last phase.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: see `freeze_to`.

    Returns:
        List of `keras.Variable`.
    """
    trained = set()
    for phase in phases:
        freeze_to(model, phase.train, batch_norm)
        trained |= set(map(id, model.trainable_variables))
    members = {id(v): v for block in variables_by_block(model).values() for v in block}
    return [variable for key, variable in members.items() if key in trained]


def untouched_variables(model, phases, batch_norm="inference"):
    """Lists for each phase the variables that neither it nor an earlier phase changes, in the model's order.

    Leaves the model's flags as set by the last phase.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: see `freeze_to`; "recalibrate" changes the statistics of every BatchNormalization layer.

    Returns:
        List with a list of `keras.Variable` per phase, without the states of random generators.
    """
    changed = set()
    if batch_norm == "recalibrate":
        norms = [part for part in model._flatten_layers() if isinstance(part, keras.layers.BatchNormalization)]
        changed = {id(v) for norm in norms for v in (norm.moving_mean, norm.moving_variance)}
    members = {id(v): v for block in variables_by_block(model).values() for v in block}
    untouched = []
    for phase in phases:
        freeze_to(model, phase.train, batch_norm)
        changed |= set(map(id, changeable_variables(model)))
        untouched.append([variable for key, variable in members.items() if key not in changed])
    return untouched
