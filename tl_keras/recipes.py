"""Recipes: named transfer learning techniques, expanded to phases that fit the amount of data.

Pure values, without TensorFlow. As in BiT's HyperRule (Kolesnikov et al. 2020, https://arxiv.org/abs/1912.11370,
section 3.3), a recipe plans optimizer steps, not epochs: about `HEAD_STEPS` for a head and `BLOCK_STEPS` for unfrozen
blocks, within 3 to 20 epochs. With less data it unfreezes fewer blocks. `--print_phases` shows the result.

Two learning rates depend on the trainable part. A head on the mean of token vectors needs ten times the rate of a head
on image features, because token vectors are small (MiniLM: standard deviation 0.2), so that its weights must grow. At
`TEXT_HEAD_RATE` the head of MiniLM is as accurate as logistic regression with a cross-validated penalty, from 8 texts
per class to 1,707 in total. LoRA weights need ten times the rate of full fine-tuning (Schulman et al. 2025, "LoRA
Without Regret", https://thinkingmachines.ai/blog/lora/).

The recipe "few_shot" trains the blocks with a contrastive loss on pairs of examples, for about `CONTRASTIVE_STEPS`
steps at `CONTRASTIVE_RATE`, the same for all blocks; then a head is solved on their features. The first block stays as
it is: it holds half the weights of MiniLM, its embeddings, and texts gained nothing from training them.
"""

import math
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Literal, get_args

from tl_keras.errors import InputError, counted, unknown_name
from tl_keras.phases import Phase, total_epochs

Technique = Literal[
    "feature_extraction", "fine_tuning", "linear_probe_then_fine_tune", "progressive_unfreezing", "few_shot"
]
AUTO = "auto"
"""Recipe that decides by the data, instead of expanding to phases."""
Recipe = Literal[AUTO, Technique]
FEW_LABELS = 2000
"""Labelled examples up to which "auto" holds out no validation set."""
HEAD_STEPS, BLOCK_STEPS, CONTRASTIVE_STEPS = 120, 80, 15
MAX_CONTRASTIVE_EPOCHS = 10
HEAD_RATE, TEXT_HEAD_RATE, BLOCK_RATE, CONTRASTIVE_RATE, LORA_RATE = 1e-3, 1e-2, 3e-4, 1e-4, 3e-3
BLOCK_DECAY = 0.7


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
    step_budget_factor=1,
):
    """Expands a recipe to phases.

    Args:
        recipe: "feature_extraction" (the head only), "fine_tuning" (one block and all later ones at once),
            "linear_probe_then_fine_tune" (first the head, so that its random weights do not distort the backbone, then
            all blocks: Kumar et al. 2022, https://arxiv.org/abs/2202.10054), "progressive_unfreezing" (first the head,
            then one more block in each phase, last to first: Howard and Ruder 2018, https://arxiv.org/abs/1801.06146)
            or "few_shot" (the blocks before the head with a contrastive loss: Tunstall et al. 2022,
            https://arxiv.org/abs/2209.11055; the head is solved afterwards).
        blocks: list of the names of the model's blocks, from the input to the head.
        num_examples: number of training examples, at least 1.
        batch_size: examples in an optimizer step.
        unfreeze_from: first block to unfreeze, or "all"; None chooses it by the amount of data, or all blocks for
            "linear_probe_then_fine_tune" and all but the first for "few_shot".
        epochs: epochs of the whole run, divided among the phases; None chooses them by the amount of data.
        learning_rate: peak learning rate of the first phase, which scales those of later phases; None takes the
            recipe's.
        block_decay: factor by which the learning rate falls from each block to the one before it, above 0 and up to 1;
            None takes `BLOCK_DECAY`, or 1 for "few_shot".
        head_rate: peak learning rate of a phase that trains the head only: `HEAD_RATE`, or `TEXT_HEAD_RATE` for texts.
        lora: whether the backbone is trained with LoRA, at `LORA_RATE`.
        new_blocks: number of last blocks with random initial weights, which are trained from the first phase on: the
            head, and in a detector also the blocks between backbone and head.
        step_budget_factor: multiple of the optimizer steps, and of the maximum number of epochs, of each phase;
            detectors need more than 1.

    Returns:
        List of `Phase`.

    Raises:
        InputError: the recipe or the block is unknown, or there are fewer epochs than phases.
    """
    if recipe not in get_args(Technique):
        raise unknown_name("recipe", recipe, get_args(Technique))
    backbone, head = blocks[:-new_blocks], blocks[-new_blocks]
    if unfreeze_from not in (None, "all", *backbone):
        raise unknown_name("unfreeze_from", unfreeze_from, [*backbone, "all"])
    unfrozen = backbone[_earliest(recipe, backbone, num_examples, unfreeze_from) :]
    steps_per_epoch = math.ceil(num_examples / batch_size)
    head_epochs = _epochs(HEAD_STEPS, steps_per_epoch, step_budget_factor)
    block_epochs = _epochs(BLOCK_STEPS, steps_per_epoch, step_budget_factor)
    block_rate = LORA_RATE if lora else BLOCK_RATE
    probe = Phase(train=head, epochs=head_epochs, learning_rate=head_rate)
    later = [
        Phase(train=block, epochs=block_epochs, learning_rate=block_rate, block_decay=block_decay or BLOCK_DECAY)
        for block in reversed(unfrozen)
    ]
    phases = {
        "feature_extraction": [probe],
        "fine_tuning": [replace(phase, epochs=head_epochs) for phase in later[-1:]] or [probe],
        "linear_probe_then_fine_tune": [probe, *later[-1:]],
        "progressive_unfreezing": [probe, *later],
        "few_shot": [_comparing_phase(unfrozen, steps_per_epoch, block_decay, lora)] if unfrozen else [probe],
    }[recipe]
    if learning_rate is not None:
        phases = _scale_rates(phases, learning_rate / phases[0].learning_rate)
    return phases if epochs is None else _share_epochs(phases, epochs)


def _comparing_phase(blocks, steps_per_epoch, block_decay, lora):
    return Phase(
        train=blocks,
        epochs=min(MAX_CONTRASTIVE_EPOCHS, _epochs(CONTRASTIVE_STEPS, steps_per_epoch)),
        learning_rate=LORA_RATE if lora else CONTRASTIVE_RATE,
        block_decay=block_decay or 1.0,
        objective="contrastive",
    )


def unfreezing_depth(num_blocks, num_examples):
    """Chooses the number of blocks to unfreeze: one for up to 100 examples, all from 100,000 on.

    In between, the fraction grows with the logarithm of the number of examples: a third at 1,000, two thirds at 10,000.
    """
    fraction = math.log10(max(num_examples, 1) / 100) / 3
    return min(num_blocks, max(1, math.ceil(num_blocks * fraction)))


def _earliest(recipe, backbone, num_examples, unfreeze_from):
    if unfreeze_from == "all" or (unfreeze_from is None and recipe == "linear_probe_then_fine_tune"):
        return 0
    if unfreeze_from is None and recipe == "few_shot":
        return min(1, len(backbone) - 1)
    if unfreeze_from is None:
        return len(backbone) - unfreezing_depth(len(backbone), num_examples)
    return backbone.index(unfreeze_from)


def _scale_rates(phases, factor):
    return [replace(phase, learning_rate=phase.learning_rate * factor) for phase in phases]


def _epochs(steps, steps_per_epoch, factor=1):
    return min(20 * factor, max(3, round(factor * steps / steps_per_epoch)))


def _share_epochs(phases, epochs):
    """Divides a number of epochs: one for each phase, the rest in proportion, rounded up for earlier phases."""
    if epochs < len(phases):
        raise InputError(
            f"epochs={epochs} is too few for {counted(len(phases), 'phase')}, each of which needs one: give "
            f"{len(phases)} or more, or --recipe feature_extraction, which has one phase."
        )
    spare, total = epochs - len(phases), total_epochs(phases)
    ends = [math.ceil(spare * done / total) for done in accumulate((phase.epochs for phase in phases), initial=0)]
    return [replace(phase, epochs=1 + end - start) for phase, (start, end) in zip(phases, pairwise(ends), strict=True)]
