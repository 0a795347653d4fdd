"""Options of classifier heads. Pure values, without Keras."""

from typing import Literal, get_args

from tl_keras.errors import InputError

Pooling = Literal["average", "max", "concat", "first"]
"""Pooling of features to a vector: "concat" joins the averages and the maxima, "first" takes the first token."""
AVERAGE, MAX, CONCAT, FIRST = get_args(Pooling)
IMAGE_POOLINGS = (AVERAGE, MAX, CONCAT)
TEXT_POOLINGS = (AVERAGE, FIRST)
HEAD_BLOCKS = ("last", "all")
"""Choices of the blocks that a head reads, besides a list of their names."""
OUTPUTS = ("probabilities", "logits")
DEFAULT_DROPOUT = 0.2
"""Share of the pooled features that are dropped in training."""


def check_head_blocks(head_blocks):
    """Checks the form of a choice of blocks; `block_outputs` checks their names.

    Args:
        head_blocks: "last", "all", or a list of block names.

    Raises:
        InputError: it is another text, or an empty list.
    """
    is_valid = head_blocks in HEAD_BLOCKS if isinstance(head_blocks, str) else len(head_blocks) > 0
    if not is_valid:
        raise InputError(
            f"model.head_blocks is {head_blocks!r}, expected last, all, or a list of at least one block, such as "
            "[block4, block5]."
        )
