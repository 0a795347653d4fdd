"""Recipes: the named techniques of transfer learning, each spelled out as phases that fit the data's size.

Pure values, without TensorFlow. The sizes follow one rule, in the spirit of BiT's HyperRule (Kolesnikov et al. 2020,
https://arxiv.org/abs/1912.11370, section 3.3): the number of optimizer steps is set by the amount of data, not the
number of epochs. A head takes about `HEAD_STEPS` steps, thawed blocks `BLOCK_STEPS`, within 3 to 20 epochs; and the
less data there is, the fewer blocks are thawed. `--print_phases` shows what comes of it.
"""

import math
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Literal, get_args

from tl_keras.errors import InputError, unknown_name
from tl_keras.phases import Phase, total_epochs

Recipe = Literal["feature_extraction", "fine_tuning", "linear_probe_then_fine_tune", "progressive_unfreezing"]
HEAD_STEPS, BLOCK_STEPS = 120, 80
HEAD_RATE, BLOCK_RATE = 1e-3, 3e-4
BLOCK_DECAY = 0.7


def expand_recipe(recipe, blocks, num_examples, *, batch_size=32, unfreeze_from=None, epochs=None, learning_rate=None):
    """Spells a technique out as phases.

    Args:
        recipe: "feature_extraction" (only the head learns), "fine_tuning" (everything from one block on, at once),
            "linear_probe_then_fine_tune" (the head alone first, so that its random weights do not distort the others,
            then everything: Kumar et al. 2022, https://arxiv.org/abs/2202.10054) or "progressive_unfreezing" (the head,
            then one block more in each phase, last to first: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146).
        blocks: list of the model's block names, input side first, the head last.
        num_examples: number of training examples, at least 1.
        batch_size: examples in an optimizer step.
        unfreeze_from: the earliest block that ever learns, or "all"; None chooses it by the amount of data, or all
            where a linear probe comes first.
        epochs: epochs of the whole run, shared among the phases; None chooses them by the amount of data.
        learning_rate: peak rate of the head's phase, the others in proportion; None takes `HEAD_RATE`.

    Returns:
        List of `Phase`.

    Raises:
        InputError: the recipe or the block is unknown.
    """
    if recipe not in get_args(Recipe):
        raise unknown_name("recipe", recipe, get_args(Recipe))
    *backbone, head = blocks
    if unfreeze_from not in (None, "all", *backbone):
        raise unknown_name("unfreeze_from", unfreeze_from, [*backbone, "all"])
    thawing = backbone[_earliest(recipe, backbone, num_examples, unfreeze_from) :]
    head_epochs, block_epochs = (
        _epochs(steps, math.ceil(num_examples / batch_size)) for steps in (HEAD_STEPS, BLOCK_STEPS)
    )
    scale = (learning_rate or HEAD_RATE) / HEAD_RATE
    probe = Phase(train=head, epochs=head_epochs, learning_rate=HEAD_RATE * scale)
    later = [
        Phase(train=block, epochs=block_epochs, learning_rate=BLOCK_RATE * scale, block_decay=BLOCK_DECAY)
        for block in reversed(thawing)
    ]
    phases = {
        "feature_extraction": [probe],
        "fine_tuning": [replace(phase, epochs=head_epochs) for phase in later[-1:]] or [probe],
        "linear_probe_then_fine_tune": [probe, *later[-1:]],
        "progressive_unfreezing": [probe, *later],
    }[recipe]
    return phases if epochs is None else _share_epochs(phases, epochs)


def unfreezing_depth(num_blocks, num_examples):
    """Chooses how many blocks of a backbone may learn: one with 100 examples or fewer, all from 100,000 on.

    Between them the share grows with the logarithm of the number of examples: a third at 1,000, two thirds at 10,000.
    """
    share = math.log10(max(num_examples, 1) / 100) / 3
    return min(num_blocks, max(1, math.ceil(num_blocks * share)))


def _earliest(recipe, backbone, num_examples, unfreeze_from):
    if unfreeze_from == "all" or (unfreeze_from is None and recipe == "linear_probe_then_fine_tune"):
        return 0
    if unfreeze_from is None:
        return len(backbone) - unfreezing_depth(len(backbone), num_examples)
    return backbone.index(unfreeze_from)


def _epochs(steps, steps_per_epoch):
    return min(20, max(3, round(steps / steps_per_epoch)))


def _share_epochs(phases, epochs):
    """Scales the phases' epochs to a given total: one for each, the rest in proportion, earlier phases rounded up."""
    if epochs < len(phases):
        raise InputError(f"epochs={epochs} is too few for {len(phases)} phases: expected at least one epoch for each.")
    spare, total = epochs - len(phases), total_epochs(phases)
    ends = [math.ceil(spare * done / total) for done in accumulate((phase.epochs for phase in phases), initial=0)]
    return [replace(phase, epochs=1 + end - start) for phase, (start, end) in zip(phases, pairwise(ends), strict=True)]
