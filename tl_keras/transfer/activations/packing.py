"""Cuts through several tensors: a map, and the vectors that the head has pooled from earlier blocks.

The prefix hands them over as one flat vector per example, so that cached activations stay a single array.
"""

import itertools
import math

import keras

PACKED = "packed."
"""Start of the name of the layer that packs tensors; the rest is the name of the operation of the first tensor."""


def pack(tensors):
    """Concatenates the tensors at a cut to one vector per example.

    Args:
        tensors: list of Keras tensors (batch, ...) of one dtype, whose shapes are defined except for the batch.

    Returns:
        Keras tensor (batch, values) of that dtype; a single tensor itself.
    """
    if len(tensors) == 1:
        return tensors[0]
    name, dtype = tensors[0]._keras_history.operation.name, tensors[0].dtype
    flat = [
        keras.layers.Flatten(dtype=dtype, name=f"flat{number}.{name}")(tensor) for number, tensor in enumerate(tensors)
    ]
    return keras.layers.Concatenate(dtype=dtype, name=f"{PACKED}{name}")(flat)


def packed_tensors(cut):
    """Lists the tensors that a cut consists of.

    Args:
        cut: Keras tensor, from `pack`.

    Returns:
        List of Keras tensors; of `cut` alone if it is not packed.
    """
    operation = cut._keras_history.operation
    if not operation.name.startswith(PACKED):
        return [cut]
    return [flat._keras_history.operation.input for flat in operation.input]


def unpack(packed, tensors):
    """Splits vectors into the values of the tensors that they were packed from.

    Args:
        packed: Keras tensor (batch, values), as from `pack`.
        tensors: list of the packed Keras tensors.

    Returns:
        List of Keras tensors of the shapes of `tensors`.
    """
    sizes = [math.prod(tensor.shape[1:]) for tensor in tensors]
    ends = list(itertools.accumulate(sizes))
    parts = [packed[:, end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return [keras.ops.reshape(part, (-1, *tensor.shape[1:])) for part, tensor in zip(parts, tensors, strict=True)]


def describe_cut(cut):
    """Names the tensors of a cut.

    Args:
        cut: Keras tensor, from `pack`.

    Returns:
        str, such as "block5.pool" or "block5.pool and 4 pooled vectors".
    """
    first, *pooled = packed_tensors(cut)
    more = f" and {len(pooled)} pooled vector{'s' if len(pooled) > 1 else ''}" if pooled else ""
    return first._keras_history.operation.name + more
