"""The plan of a staged training: phases worked out for one model, as numbers to print, log and check."""

import math
from collections import Counter
from itertools import pairwise

import keras

from tl_keras.errors import InputError
from tl_keras.phases import check_phases
from tl_keras.transfer.freezing import block_names, changeable_variables, freeze_to, variables_by_block
from tl_keras.transfer.learning_rates import LEAST_SHARE, block_learning_rates, blocks_that_move


def plan_phases(model, phases, batch_norm="inference", ends=()):
    """Works out what each phase means for a model. Leaves the model as the last phase sets it.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: see `freeze_to`.
        ends: for each phase that has ended, the first epoch after it.

    Returns:
        List of a dict for each phase: `name`, `blocks` (that learn, input side first), `learning_rates` (dict from
        those blocks to their peak rate), `trainable_parameters`, `total_parameters`, `first_epoch`, `epochs` (what it
        took, or at most takes).

    Raises:
        InputError: an empty list, an unknown block or policy, or a phase in which nothing can learn.
    """
    check_phases(phases)
    plan, first_epoch = [], 0
    for index, phase in enumerate(phases):
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
                "epochs": ends[index] - first_epoch if index < len(ends) else phase.epochs,
            }
        )
        first_epoch += plan[-1]["epochs"]
    return plan


def find_warnings(model, phases, plan):
    """Looks for phases that are allowed but hardly meant.

    Args:
        model: the `keras.Model` of the plan.
        phases: list of `Phase`.
        plan: what `plan_phases` returned for them.

    Returns:
        List of sentences: a phase that names a block twice, one that lets the same blocks learn as the one before it,
        blocks at rates that move nothing, and a block that never learns although an earlier one does.
    """
    sentences = [
        f"phase {number} names {name} {count} times"
        for number, phase in enumerate(phases, start=1)
        for name, count in Counter(phase.train if isinstance(phase.train, list) else ()).items()
        if count > 1
    ]
    sentences += [
        f"phases {number} and {number + 1} let the same blocks learn: {', '.join(record['blocks'])}"
        for number, (record, following) in enumerate(pairwise(plan), start=1)
        if record["blocks"] == following["blocks"]
        and record["trainable_parameters"] == following["trainable_parameters"]
    ]
    for number, record in enumerate(plan, start=1):
        moving = blocks_that_move(record["learning_rates"])
        if still := [block for block in record["blocks"] if block not in moving]:
            sentences.append(
                f"phase {number} hardly moves {still[0]}{f' to {still[-1]}' if len(still) > 1 else ''}: block_decay "
                f"leaves {len(still)} blocks less than {LEAST_SHARE:g} of its rate"
            )
    blocks, learning = block_names(model), {block for record in plan for block in record["blocks"]}
    first = min(map(blocks.index, learning))
    if idle := [block for block in blocks[first:] if block not in learning]:
        sentences.append(f"never trained, though the earlier {blocks[first]} is: {', '.join(idle)}")
    return sentences


def variables_of_all_phases(model, phases, batch_norm="inference"):
    """Lists the variables that learn in any of the phases, in the model's order.

    An optimizer that is built over them has room for all and for no more. Leaves the model as the last phase sets it.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: see `freeze_to`.

    Returns:
        List of `keras.Variable`.
    """
    learning = set()
    for phase in phases:
        freeze_to(model, phase.train, batch_norm)
        learning |= set(map(id, model.trainable_variables))
    members = {id(v): v for block in variables_by_block(model).values() for v in block}
    return [variable for key, variable in members.items() if key in learning]


def untouched_variables(model, phases, batch_norm="inference"):
    """Lists for each phase the variables that neither it nor any phase before it changes, in the model's order.

    Leaves the model as the last phase sets it.

    Args:
        model: any built `keras.Model`.
        phases: list of `Phase`.
        batch_norm: see `freeze_to`; "recalibrate" changes the statistics of every BatchNormalization layer.

    Returns:
        List of a list of `keras.Variable` for each phase, without the states of random generators.
    """
    changing = set()
    if batch_norm == "recalibrate":
        norms = [part for part in model._flatten_layers() if isinstance(part, keras.layers.BatchNormalization)]
        changing = {id(v) for norm in norms for v in (norm.moving_mean, norm.moving_variance)}
    members = {id(v): v for block in variables_by_block(model).values() for v in block}
    untouched = []
    for phase in phases:
        freeze_to(model, phase.train, batch_norm)
        changing |= set(map(id, changeable_variables(model)))
        untouched.append([variable for key, variable in members.items() if key not in changing])
    return untouched
