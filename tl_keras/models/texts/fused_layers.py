"""Faster implementations of layers of text encoders that need fewer passes over memory.

Keras 3.15 composes these layers from many operations, and a CPU runs each of them and its gradient separately. XLA
would fuse them, but compiles again for every shape, and batches of texts have many shapes.
"""

import functools
import math

import keras
import tensorflow as tf
from tensorflow.python.eager import record

from tl_keras.models.layers_by_block import flatten_layers

_RANDOM = tf.uint16
_STEPS = _RANDOM.max + 1


def use_fused_layers(model):
    """Replaces the computation of layers by fused versions with explicit gradients, in place.

    Results differ from Keras's only by rounding, except for dropout: it draws other masks from the same seed, with 16
    random bits per element instead of 32, and its rate is rounded to a multiple of 1 / 65,536. A saved model has the
    plain layers.

    Args:
        model: `keras.Model`. Its layer normalizations over the last axis, dropouts, embeddings and dense layers with
            the exact GELU change, also inside other layers.
    """
    for layer in flatten_layers(model):
        if fused_call := _fused_call(layer):
            layer.call = functools.partial(fused_call, layer)


def _fused_call(layer):
    kind = type(layer)
    if isinstance(layer, keras.layers.Embedding):
        return _look_up
    if kind is keras.layers.Dropout and layer.noise_shape is None and 0 < round(layer.rate * _STEPS) < _STEPS:
        return _drop
    if kind is keras.layers.Dense and layer.activation is keras.activations.gelu:
        return _apply_dense
    if kind is keras.layers.LayerNormalization and layer.center and layer.scale and not layer.rms_scaling:
        return _normalize if layer.axis in (-1, [-1]) else None
    return None


def _look_up(layer, inputs, **options):
    """Gathers rows from the variable; Keras first reads the whole table, a copy once rows of it were updated."""
    if any(options.values()) or not isinstance(layer.embeddings, keras.Variable):
        return type(layer).call(layer, inputs, **options)
    rows = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
    return tf.cast(tf.gather(layer.embeddings.value, rows), layer.compute_dtype)


def _drop(layer, inputs, training=False):
    if not training:
        return inputs
    # Keras stores seeds as int64 and converts them to int32 in this way.
    seed = tf.cast(tf.math.floormod(layer.seed_generator.next(), tf.int32.max - 1), tf.int32)
    count, dropped = tf.size(inputs), round(layer.rate * _STEPS)
    words = tf.random.stateless_uniform([(count + 1) // 2], seed, minval=None, maxval=None, dtype=tf.uint32)
    numbers = tf.reshape(tf.reshape(tf.bitcast(words, _RANDOM), [-1])[:count], tf.shape(inputs))
    factors = tf.constant([_STEPS / (_STEPS - dropped), 0], inputs.dtype)
    return inputs * tf.where(numbers >= dropped, factors[0], factors[1])


def _apply_dense(layer, inputs, training=None):
    outputs = keras.ops.matmul(inputs, layer.kernel)
    return _with_gradient(_gelu, outputs if layer.bias is None else keras.ops.add(outputs, layer.bias))


def _gelu(inputs):
    """Computes the exact GELU of Hendrycks and Gimpel 2016 (https://arxiv.org/abs/1606.08415), section 2."""
    scaled = inputs * math.sqrt(0.5)
    share = 0.5 * tf.math.erf(scaled) + 0.5

    def gradient(upstream):
        density = tf.exp(-tf.square(scaled)) * (1 / math.sqrt(2 * math.pi))
        return [upstream * (share + inputs * density)]

    return inputs * share, gradient


def _normalize(layer, inputs):
    floats = [tf.cast(tensor, tf.float32) for tensor in (inputs, layer.gamma, layer.beta)]
    outputs = _with_gradient(functools.partial(_layer_norm, epsilon=layer.epsilon), *floats)
    return tf.cast(outputs, layer.compute_dtype)


def _layer_norm(inputs, gamma, beta, *, epsilon):
    """Computes equation 4 of Ba et al. 2016 (https://arxiv.org/abs/1607.06450)."""
    centred = inputs - _channel_mean(inputs)
    inverse = tf.math.rsqrt(_channel_mean(tf.square(centred)) + epsilon)
    normal = centred * inverse

    def gradient(upstream):
        rows = list(range(upstream.shape.rank - 1))
        scaled = upstream * gamma
        moved = inverse * (scaled - _channel_mean(scaled) - normal * _channel_mean(scaled * normal))
        return [moved, tf.reduce_sum(upstream * normal, axis=rows), tf.reduce_sum(upstream, axis=rows)]

    return normal * gamma + beta, gradient


def _channel_mean(tensor):
    return tf.reduce_mean(tensor, axis=-1, keepdims=True)


def _with_gradient(function, *inputs):
    """Calls a function that returns an output and its gradient function, and records both on the tape.

    `tf.custom_gradient` of TensorFlow 2.21 never releases the traced function, nor the model's variables.
    """
    with record.stop_recording():
        outputs, gradient = function(*inputs)
    record.record_operation("FusedLayer", [outputs], list(inputs), gradient)
    return outputs
