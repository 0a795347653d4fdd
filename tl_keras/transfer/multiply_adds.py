"""Number of multiply-adds of a network, estimated from the shapes of its kernels."""

import math

import keras

from tl_keras.models.graph import ordered_nodes


def count_multiply_adds(model):
    """Counts the multiply-adds with kernels that one example takes.

    This covers nearly all work of convolutions, dense layers and transformer projections. Attention itself (2 for each
    pair of tokens and channel), normalization and activations are not counted. A layer that is called twice counts
    twice.

    Args:
        model: functional `keras.Model`. An undefined number of tokens or pixels counts as one.

    Returns:
        int, half the number of floating-point operations.
    """
    return sum(_multiply_adds(node) for node in ordered_nodes(model) if isinstance(node.operation, keras.Layer))


def _multiply_adds(node):
    kernels = [weight for weight in node.operation.weights if weight.name.endswith("kernel")]
    positions = math.prod(side or 1 for side in node.output_tensors[0].shape[1:-1])
    return positions * sum(math.prod(kernel.shape) for kernel in kernels)
