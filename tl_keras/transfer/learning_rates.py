"""Learning rates per block, which decrease towards the input of the model."""

import keras
import numpy as np

MIN_SHARE = 1e-5
"""Blocks below this share of the highest rate may not move at all: float32 cannot represent such small steps."""


def block_learning_rates(phase, trainable_blocks):
    """Computes the learning rate of each block in a phase.

    Discriminative fine-tuning (Howard and Ruder 2018, https://arxiv.org/abs/1801.06146, section 3.1): the rate of the
    block that lies k blocks before the last one is `learning_rate * block_decay ** k`.

    Args:
        phase: `Phase`.
        trainable_blocks: list of the blocks trained in it, input side first.

    Returns:
        Dict from block name to its peak learning rate.
    """
    distances = range(len(trainable_blocks) - 1, -1, -1)
    return {
        block: phase.learning_rate * phase.block_decay**distance
        for block, distance in zip(trainable_blocks, distances, strict=True)
    }


def current_rate(optimizer):
    """Reads the learning rate of an optimizer, also where a strategy mirrors it, which `float` refuses.

    Args:
        optimizer: Keras optimizer.

    Returns:
        float.
    """
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def moving_blocks(learning_rates):
    """Lists the blocks whose learning rate is high enough to move their weights.

    Args:
        learning_rates: dict from the name of each trainable block to its peak rate.

    Returns:
        List of block names.
    """
    min_rate = MIN_SHARE * max(learning_rates.values())
    return [block for block, rate in learning_rates.items() if rate >= min_rate]


def rate_multipliers(variables, variables_by_block, learning_rates, base_rate):
    """Computes the rate multiplier of each variable.

    Args:
        variables: list of `keras.Variable` in the order of the optimizer.
        variables_by_block: dict from block name to its variables.
        learning_rates: dict from the name of each trainable block to its rate.
        base_rate: learning rate that corresponds to a multiplier of 1, above 0.

    Returns:
        float32 array (len(variables),); 0 for frozen variables, including those in trainable blocks.
    """
    share_of = {
        id(variable): learning_rates.get(block, 0.0) / base_rate
        for block, members in variables_by_block.items()
        for variable in members
    }
    return np.array([share_of[id(variable)] * variable.trainable for variable in variables], "float32")
