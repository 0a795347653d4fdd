"""Options of classifier heads. Pure values, without Keras."""

IMAGE_POOLINGS = ("average", "max", "concat")
TEXT_POOLINGS = ("average", "first")
HEAD_BLOCKS = ("last", "all")
"""Choices of the blocks that a head reads, besides a list of their names."""
OUTPUTS = ("probabilities", "logits")
DEFAULT_DROPOUT = 0.2
"""Share of the pooled features that are dropped in training."""
