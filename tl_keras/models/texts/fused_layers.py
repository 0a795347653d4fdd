"""Layers of a text encoder that compute in fewer passes over memory; saved, they are the plain layers they were.

On a CPU, what Keras 3.15 writes as many operations runs as many, and training runs as many again for their gradients.
XLA makes one of them, but compiles anew for every shape, of which texts have many.
"""

import functools
import math

import keras
import tensorflow as tf
from tensorflow.python.eager import record

_RANDOM = tf.uint16
_STEPS = _RANDOM.max + 1


def use_fused_layers(model):
    """Changes how layers of a model compute, not what: their gradients are written out, tables are read by row.

    Dropout draws other masks than Keras's from the same seed, with 16 random bits for an element in place of 32, and
    its rate is rounded to the 65,536th part. All else differs by rounding.

    Args:
        model: `keras.Model`. Changed are its layer normalizations over the last axis, its dropouts, its embeddings and
            its dense layers with the exact GELU, also those inside of other layers.
    """
    for layer in model._flatten_layers():
        if compute := _fused_call(layer):
            layer.call = functools.partial(compute, layer)


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
    """Reads the rows that are asked for; Keras reads the table, which is a copy once rows of it have been written."""
    if any(options.values()) or not isinstance(layer.embeddings, keras.Variable):
        return type(layer).call(layer, inputs, **options)
    rows = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
    return tf.cast(tf.gather(layer.embeddings.value, rows), layer.compute_dtype)


def _drop(layer, inputs, training=False):
    if not training:
        return inputs
    # Keras keeps its seeds as int64 and turns them into the int32 of a device in this way.
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
    """Hendrycks and Gimpel 2016 (https://arxiv.org/abs/1606.08415), section 2, without approximation."""
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
    """Ba et al. 2016 (https://arxiv.org/abs/1607.06450), equation 4."""
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
    """Calls a function that returns its output and the function from the output's gradient to those of the inputs.

    `tf.custom_gradient` of TensorFlow 2.21 keeps what it has traced for good, and the model's variables with it.
    """
    with record.stop_recording():
        outputs, gradient = function(*inputs)
    record.record_operation("FusedLayer", [outputs], list(inputs), gradient)
    return outputs
