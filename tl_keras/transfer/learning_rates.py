"""The learning rate of each block: one number for a phase, smaller and smaller towards the input."""

import numpy as np

LEAST_SHARE = 1e-5
"""Blocks that learn at less than this part of the highest rate may stand still: float32 has no steps that small."""


def block_learning_rates(phase, learning_blocks):
    """Spreads the learning rate of a phase over its blocks.

    Discriminative fine-tuning (Howard and Ruder 2018, https://arxiv.org/abs/1801.06146, section 3.1): the block that is
    k blocks before the last one learns at `learning_rate * block_decay ** k`.

    Args:
        phase: `Phase`.
        learning_blocks: list of the blocks that learn in it, input side first.

    Returns:
        Dict from block name to its peak learning rate.
    """
    distances = range(len(learning_blocks) - 1, -1, -1)
    return {
        block: phase.learning_rate * phase.block_decay**distance
        for block, distance in zip(learning_blocks, distances, strict=True)
    }


def blocks_that_move(learning_rates):
    """Lists the blocks that a phase is sure to move.

    Args:
        learning_rates: dict from the name of each learning block to its peak rate.

    Returns:
        List of names.
    """
    least = LEAST_SHARE * max(learning_rates.values())
    return [block for block, rate in learning_rates.items() if rate >= least]


def rate_multipliers(variables, variables_by_block, learning_rates, base_rate):
    """Lists for every variable the share of the base rate that it learns at.

    Args:
        variables: list of `keras.Variable` in the order of the optimizer.
        variables_by_block: dict from block name to its variables.
        learning_rates: dict from the name of each learning block to its rate.
        base_rate: the rate that a share of 1 stands for.

    Returns:
        float32 array (len(variables),), 0 for variables that are frozen, also those in learning blocks.
    """
    share_of = {
        id(variable): learning_rates.get(block, 0.0) / base_rate
        for block, members in variables_by_block.items()
        for variable in members
    }
    return np.array([share_of[id(variable)] * variable.trainable for variable in variables], "float32")
