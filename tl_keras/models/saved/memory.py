"""Memory that the tensors of a model take for one example, and the batch that fits into that of the machine."""

import math
import os

import keras

from tl_keras.errors import InputError

MEMORY_SHARE = 0.5
"""Share of the machine's memory that the tensors of a batch may take."""
BYTES_PER_ELEMENT = 4
KEPT_TENSORS = 3
"""How many tensors of the largest size are alive at once: an input, an output and what computes it."""
ATTENTION = ("MultiHeadAttention", "GroupedQueryAttention", "CachedMultiHeadAttention", "DisentangledSelfAttention")
"""Layers that compute a score for each head and pair of tokens."""


def tensor_sizes(model):
    """Lists the tensors of a model, with those inside of attention layers.

    Args:
        model: functional or sequential `keras.Model`, built from shapes alone or with weights.

    Yields:
        Number of elements of each for one example; unknown dimensions count as 1.

    Raises:
        ValueError: an operation multiplies the number of examples, so that no tensor is for one example.
    """
    if isinstance(model, keras.Sequential):
        model = model._functional
    for operation in getattr(model, "operations", ()):
        heads = _attention_heads(operation)
        for node in operation._inbound_nodes:
            _refuse_more_examples(operation, node)
            for tensor in node.output_tensors:
                yield math.prod(side or 1 for side in tensor.shape)
                yield int(heads * _scores(tensor.shape))
        if isinstance(operation, keras.Model):
            yield from tensor_sizes(operation)


def affordable_batch(model, batch_size):
    """Chooses the number of examples that a saved model computes at once.

    Args:
        model: `keras.Model`.
        batch_size: number that the configuration of its run asks for.

    Returns:
        The same, or fewer whose tensors fit into `MEMORY_SHARE` of the memory.

    Raises:
        InputError: a single example does not fit.
    """
    needed = KEPT_TENSORS * BYTES_PER_ELEMENT * max(tensor_sizes(model), default=1)
    available = MEMORY_SHARE * memory_bytes()
    if needed > available:
        raise InputError(
            f"The model needs {needed / 1e9:.1f} GB for one example, more than {MEMORY_SHARE:.0%} of the memory of "
            f"this machine, {available / 1e9:.1f} GB: use a machine with more memory."
        )
    return max(1, min(batch_size, int(available // needed)))


def memory_bytes():
    """Returns the bytes of memory of this machine, or those that this process may take if they are fewer."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    try:
        # Windows has no limits of this kind.
        import resource
    except ImportError:
        return total
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return total if limit == resource.RLIM_INFINITY else min(total, limit)


def _attention_heads(operation):
    layers = [operation, *(operation._flatten_layers(include_self=False) if isinstance(operation, keras.Layer) else ())]
    found = [layer for layer in layers if type(layer).__name__ in ATTENTION]
    heads = max((getattr(layer, "num_heads", 0) or getattr(layer, "num_query_heads", 1) for layer in found), default=0)
    # MiT reduces the keys of each of its attentions by this factor in both directions.
    return heads / max((getattr(layer, "sr_ratio", 1) for layer in layers), default=1) ** 2


def _scores(shape):
    """Returns the number of pairs of tokens in a tensor (batch, tokens, ..., width)."""
    return math.prod(side or 1 for side in shape[1:-1]) ** 2 if len(shape) > 2 else 0


def _refuse_more_examples(operation, node):
    """Refuses operations along the first axis, whose outputs have an unknown number of rows, as their inputs do."""
    name = type(operation).__name__
    rank = len(node.output_tensors[0].shape) if node.output_tensors else 0
    axis = getattr(operation, "axis", None)
    is_first = axis is None or (isinstance(axis, int) and axis % max(rank, 1) == 0)
    repeats = getattr(operation, "repeats", ())
    if name == "Tile":
        multiplies = isinstance(repeats, int) or (len(repeats) >= rank and repeats[0] != 1)
    else:
        multiplies = name in ("Repeat", "Concatenate", "Stack") and is_first
    if multiplies or (name == "Pad" and _pads_first(operation, rank)):
        raise ValueError(f"{name} multiplies the number of examples")


def _pads_first(operation, rank):
    widths = operation.pad_width
    # A single width is for all axes.
    return len(widths) in (1, rank) and any(widths[0])
