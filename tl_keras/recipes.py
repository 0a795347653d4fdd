"""Recipes: the named techniques of transfer learning, each spelled out as phases that fit the data's size.

Pure values, without TensorFlow. The sizes follow one rule, in the spirit of BiT's HyperRule (Kolesnikov et al. 2020,
https://arxiv.org/abs/1912.11370, section 3.3): the number of optimizer steps is set by the amount of data, not the
number of epochs. A head takes about `HEAD_STEPS` steps, thawed blocks `BLOCK_STEPS`, within 3 to 20 epochs; and the
less data there is, the fewer blocks are thawed. `--print_phases` shows what comes of it.

Two rates follow from what learns. A head on the mean of token vectors learns ten times faster than one on image
features: these numbers are small (MiniLM: 0.2 in standard deviation), so its weights have far to go. At
`TEXT_HEAD_RATE` the head of MiniLM is as good as logistic regression whose penalty was chosen by cross-validation, from
8 texts of a class to 1,707 in all. And the additions of LoRA learn at ten times the rate of full fine-tuning
(Schulman et al. 2025, "LoRA Without Regret", https://thinkingmachines.ai/blog/lora/).

For few examples, "few_shot" compares them with each other, for about `COMPARING_STEPS` steps at the rate of thawed
blocks. Then they lie apart by class, and their head takes `COMPARED_STEPS` steps at `COMPARED_RATE`: more add no
accuracy, only overconfidence (8 texts of a class: cross-entropy of one test 0.46; after 20 epochs at `TEXT_HEAD_RATE`
0.82).
"""

import math
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Literal, get_args

from tl_keras.errors import InputError, unknown_name
from tl_keras.phases import Phase, total_epochs

Recipe = Literal[
    "feature_extraction", "fine_tuning", "linear_probe_then_fine_tune", "progressive_unfreezing", "few_shot"
]
HEAD_STEPS, BLOCK_STEPS, COMPARING_STEPS, COMPARED_STEPS = 120, 80, 40, 12
HEAD_RATE, TEXT_HEAD_RATE, COMPARED_RATE, BLOCK_RATE, LORA_RATE = 1e-3, 1e-2, 3e-3, 3e-4, 3e-3
BLOCK_DECAY = 0.7
WHOLE_BACKBONE = ("linear_probe_then_fine_tune", "few_shot")


def expand_recipe(
    recipe,
    blocks,
    num_examples,
    *,
    batch_size=32,
    unfreeze_from=None,
    epochs=None,
    learning_rate=None,
    block_decay=None,
    head_rate=HEAD_RATE,
    lora=False,
    new_blocks=1,
    patience=1,
):
    """Spells a technique out as phases.

    Args:
        recipe: "feature_extraction" (only the head learns), "fine_tuning" (everything from one block on, at once),
            "linear_probe_then_fine_tune" (the head alone first, so that its random weights do not distort the others,
            then everything: Kumar et al. 2022, https://arxiv.org/abs/2202.10054), "progressive_unfreezing" (the head,
            then one block more in each phase, last to first: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146)
            or "few_shot" (the blocks before the head by comparing the few examples with each other, then the head on
            what comes of it: Tunstall et al. 2022, https://arxiv.org/abs/2209.11055).
        blocks: list of the model's block names, input side first, the head last.
        num_examples: number of training examples, at least 1.
        batch_size: examples in an optimizer step.
        unfreeze_from: the earliest block that ever learns, or "all"; None chooses it by the amount of data, or all
            where a linear probe comes first, and for few examples.
        epochs: epochs of the whole run, shared among the phases; None chooses them by the amount of data.
        learning_rate: peak rate of the first phase, the others in proportion; None takes those of the recipe.
        block_decay: each block learns at this share of the rate of the block after it, above 0 and up to 1; None takes
            `BLOCK_DECAY`.
        head_rate: peak rate of a phase in which the head learns alone: `HEAD_RATE`, or `TEXT_HEAD_RATE` for texts.
        lora: whether the backbone learns through LoRA, at `LORA_RATE`.
        new_blocks: how many of the last blocks begin with random weights and so learn from the first phase on: the
            head; of a detector also what lies between backbone and head.
        patience: how many times as many steps, and at most epochs, the phases take: a detector learns longer.

    Returns:
        List of `Phase`.

    Raises:
        InputError: the recipe or the block is unknown.
    """
    if recipe not in get_args(Recipe):
        raise unknown_name("recipe", recipe, get_args(Recipe))
    backbone, head = blocks[:-new_blocks], blocks[-new_blocks]
    if unfreeze_from not in (None, "all", *backbone):
        raise unknown_name("unfreeze_from", unfreeze_from, [*backbone, "all"])
    thawing = backbone[_earliest(recipe, backbone, num_examples, unfreeze_from) :]
    steps_per_epoch = math.ceil(num_examples / batch_size)
    head_epochs, block_epochs = (_epochs(steps, steps_per_epoch, patience) for steps in (HEAD_STEPS, BLOCK_STEPS))
    block_rate = LORA_RATE if lora else BLOCK_RATE
    probe = Phase(train=head, epochs=head_epochs, learning_rate=head_rate)
    later = [
        Phase(train=block, epochs=block_epochs, learning_rate=block_rate, block_decay=block_decay or BLOCK_DECAY)
        for block in reversed(thawing)
    ]
    comparing = [
        replace(phase, train=thawing, epochs=_epochs(COMPARING_STEPS, steps_per_epoch), objective="contrastive")
        for phase in later[-1:]
    ]
    compared = Phase(train=head, epochs=_epochs(COMPARED_STEPS, steps_per_epoch), learning_rate=COMPARED_RATE)
    phases = {
        "feature_extraction": [probe],
        "fine_tuning": [replace(phase, epochs=head_epochs) for phase in later[-1:]] or [probe],
        "linear_probe_then_fine_tune": [probe, *later[-1:]],
        "progressive_unfreezing": [probe, *later],
        "few_shot": [*comparing, compared] if comparing else [probe],
    }[recipe]
    if learning_rate is not None:
        scale = learning_rate / phases[0].learning_rate
        phases = [replace(phase, learning_rate=phase.learning_rate * scale) for phase in phases]
    return phases if epochs is None else _share_epochs(phases, epochs)


def unfreezing_depth(num_blocks, num_examples):
    """Chooses how many blocks of a backbone may learn: one with 100 examples or fewer, all from 100,000 on.

    Between them the share grows with the logarithm of the number of examples: a third at 1,000, two thirds at 10,000.
    """
    share = math.log10(max(num_examples, 1) / 100) / 3
    return min(num_blocks, max(1, math.ceil(num_blocks * share)))


def _earliest(recipe, backbone, num_examples, unfreeze_from):
    if unfreeze_from == "all" or (unfreeze_from is None and recipe in WHOLE_BACKBONE):
        return 0
    if unfreeze_from is None:
        return len(backbone) - unfreezing_depth(len(backbone), num_examples)
    return backbone.index(unfreeze_from)


def _epochs(steps, steps_per_epoch, patience=1):
    return min(20 * patience, max(3, round(patience * steps / steps_per_epoch)))


def _share_epochs(phases, epochs):
    """Scales the phases' epochs to a given total: one for each, the rest in proportion, earlier phases rounded up."""
    if epochs < len(phases):
        raise InputError(
            f"epochs={epochs} is too few for {len(phases)} phases: expected at least one epoch for each, so give "
            f"{len(phases)} or more, or --recipe feature_extraction, which has one phase."
        )
    spare, total = epochs - len(phases), total_epochs(phases)
    ends = [math.ceil(spare * done / total) for done in accumulate((phase.epochs for phase in phases), initial=0)]
    return [replace(phase, epochs=1 + end - start) for phase, (start, end) in zip(phases, pairwise(ends), strict=True)]
