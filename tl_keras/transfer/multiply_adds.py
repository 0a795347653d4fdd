"""Counts the arithmetic of a network, layer by layer, from the shapes of its kernels."""

import math

import keras

from tl_keras.transfer.activations.cuts import ordered_nodes


def count_multiply_adds(model):
    """Counts the multiplications with a kernel, each with its addition, that one example takes.

    These are nearly all that convolutions, dense layers and the projections of transformers do; attention itself (2 for
    each pair of tokens and channel), normalization and activations are left out. A layer that is called twice counts
    twice.

    Args:
        model: functional `keras.Model`. Where the number of tokens or pixels is open, one of them is counted.

    Returns:
        An int; twice as many floating-point operations.
    """
    return sum(_multiply_adds(node) for node in ordered_nodes(model) if isinstance(node.operation, keras.Layer))


def _multiply_adds(node):
    kernels = [weight for weight in node.operation.weights if weight.name.endswith("kernel")]
    positions = math.prod(side or 1 for side in node.output_tensors[0].shape[1:-1])
    return positions * sum(math.prod(kernel.shape) for kernel in kernels)
