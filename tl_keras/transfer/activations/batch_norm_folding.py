"""Precomputes frozen batch normalization: exactly, or folded into the preceding convolution."""

from collections import Counter

import keras
import numpy as np
import tensorflow as tf

from tl_keras.models.graph import ordered_nodes

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def precompute_batch_norm(model):
    """Copies a model for inference with batch normalization reduced to one factor and offset per channel.

    The layer computes the same two values in every step, so the outputs stay bit-identical. InceptionV3 then has 807
    operations instead of 2,217 and is traced in half the time.

    Args:
        model: functional `keras.Model` whose statistics do not change any more.

    Returns:
        Functional `keras.Model` that shares all other layers with `model`, or `model` itself if nothing can be
        precomputed.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    summands = _names_of_summands(model)
    factors = {norm.name: _factors(norm) for norm in norms if _is_plain(norm) and norm.name not in summands}
    if not factors:
        return model

    def call(layer, *arguments, **options):
        if layer.name not in factors:
            return layer(*arguments, **options)
        scale, offset = factors[layer.name]
        return arguments[0] * scale + offset

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def fold_batch_norm(model):
    """Copies a model for inference with batch normalization folded into the weights of convolutions.

    The results equal the model's except for rounding. It is meant for bfloat16, where Keras 3.15 normalizes in float32
    with casts around it, which takes 1.3 times the CPU time for InceptionV3.

    Args:
        model: functional `keras.Model`.

    Returns:
        Functional `keras.Model`. Convolutions with folded weights are new layers; all others are shared with `model`.
    """
    norm_of = _pairs(model)
    norms, folded = {norm.name for norm in norm_of.values()}, {}

    def copy(layer):
        if layer.name not in norm_of:
            return layer
        folded[layer.name] = type(layer).from_config({**layer.get_config(), "use_bias": True})
        return folded[layer.name]

    def call(layer, *arguments, **options):
        return arguments[0] if layer.name in norms else layer(*arguments, **options)

    copied = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for name, convolution in folded.items():
        convolution.set_weights(_folded_weights(model.get_layer(name), norm_of[name]))
    return copied


def _names_of_summands(model):
    """Lists operations whose output is an operand of `Add`: TensorFlow reorders such sums, which changes rounding."""
    sums = [node for node in ordered_nodes(model) if isinstance(node.operation, keras.layers.Add)]
    return {_source(tensor).name for node in sums for tensor in node.input_tensors}


def _source(tensor):
    """Returns the operation that produces a tensor, skipping dropout, which is inactive in inference."""
    operation = tensor._keras_history.operation
    return _source(operation.input) if isinstance(operation, keras.layers.Dropout) else operation


def _is_plain(norm):
    return norm.compute_dtype == "float32" and _normalizes_last_axis(norm)


def _normalizes_last_axis(norm):
    return norm.axis % len(norm.input.shape) == len(norm.input.shape) - 1


def _factors(norm):
    """Computes factor and offset, float32 (channels,), with the operations of `tf.nn.batch_normalization`."""
    scale = tf.math.rsqrt(norm.moving_variance.value + norm.epsilon)
    if norm.scale:
        scale *= norm.gamma.value
    shift = norm.moving_mean.value * scale
    offset = norm.beta.value - shift if norm.center else -shift
    return scale.numpy(), offset.numpy()


def _pairs(model):
    """Maps the name of each convolution to the normalization of its output if neither is used elsewhere."""
    uses = Counter(id(node.operation) for node in ordered_nodes(model))
    readers = {}
    for node in ordered_nodes(model):
        for tensor in node.input_tensors:
            readers.setdefault(id(tensor), []).append(node.operation)
    outputs = set(map(id, model.outputs))
    pairs = {}
    for node in ordered_nodes(model):
        layer, [tensor, *_] = node.operation, node.output_tensors
        consumers = readers.get(id(tensor), [])
        if (
            type(layer) in CONVOLUTIONS
            and layer.activation is keras.activations.linear
            and id(tensor) not in outputs
            and len(consumers) == 1
            and isinstance(consumers[0], keras.layers.BatchNormalization)
            and uses[id(layer)] == uses[id(consumers[0])] == 1
            and _normalizes_last_axis(consumers[0])
        ):
            pairs[layer.name] = consumers[0]
    return pairs


def _folded_weights(convolution, norm):
    """Returns the kernel and bias of scale * (kernel x + bias - mean) + offset as one convolution."""
    kernel, bias = convolution.kernel.numpy(), convolution.bias.numpy() if convolution.use_bias else 0.0
    scale = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    scale = scale * norm.gamma.numpy() if norm.scale else scale
    offset = norm.beta.numpy() if norm.center else 0.0
    by_kernel = scale.reshape(kernel.shape[2:]) if isinstance(convolution, keras.layers.DepthwiseConv2D) else scale
    return [kernel * by_kernel, (bias - norm.moving_mean.numpy()) * scale + offset]
