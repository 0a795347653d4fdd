"""Recalibration of batch normalization: new population statistics from new data; no weight changes."""

import itertools

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from tl_keras.errors import InputError
from tl_keras.transfer.restoring import replaced_calls, restored_variables


def recalibrate_batch_norm(model, batches, steps=None, norms=None):
    """Re-estimates the statistics of BatchNormalization layers in one pass over new data.

    Precise BatchNorm (Wu and Johnson 2021, https://arxiv.org/abs/2105.07576, section 3.1): each BatchNormalization
    layer normalizes by the statistics of the batch while everything else runs in inference mode. The population
    statistics are aggregated from those of the batches, weighted by their number of values: mean = E[mean_b],
    variance = E[var_b] + Var[mean_b]. For the first layer this is exactly the mean and variance of all data. The inputs
    of deeper layers depend on the batches, so use batches at least as large as in training, with mixed classes. The
    layers' `momentum` and `trainable` have no effect.

    Args:
        model: built `keras.Model`; layers nested in other layers and models are included.
        batches: iterable of model inputs, or of tuples that start with them: a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, a generator or a list. Do not augment: the statistics are for inference.
        steps: number of batches to use, at least 1; None (default) uses all.
        norms: list of layers of the model to recalibrate; None (default) takes every BatchNormalization layer.

    Returns:
        Number of recalibrated layers, int.

    Raises:
        InputError: the model has no BatchNormalization layer, there is no batch, the dataset is infinite and `steps` is
            None, or statistics are not finite. The model is then unchanged.
    """
    if norms is None:
        norms = [part for part in model._flatten_layers() if isinstance(part, keras.layers.BatchNormalization)]
    if not norms:
        raise InputError(
            f"The model {model.name!r} has no BatchNormalization layer to recalibrate: leave batch_norm at 'inference'."
        )
    if steps is not None and steps < 1:
        raise InputError(f"steps is {steps}, expected at least 1, or None for all batches.")
    populations, records = [_Population() for _ in norms], []

    @tf.function(reduce_retracing=True)
    def collect(batch):
        records.clear()
        model(batch, training=False)
        return list(records)

    def recording_call(norm):
        return _recording_call(norms.index(norm), norm, records)

    # During the pass, the layers normalize by the statistics of the batch.
    statistics = [variable for norm in norms for variable in (norm.moving_mean, norm.moving_variance)]
    with restored_variables(statistics), replaced_calls(norms, recording_call):
        for batch in itertools.islice(_inputs(batches, steps), steps):
            for number, moments in collect(batch):
                populations[int(number)].add(*(moment.numpy() for moment in moments))
    return _assign(norms, populations)


class _Population:
    """Accumulates the mean and variance of all batches so far, in float64.

    Chan, Golub and LeVeque 1979, equation 2.1: the pairwise update, which avoids cancellation.
    """

    def __init__(self):
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, mean, variance, count):
        if not count:
            return
        mean, variance = mean.astype("float64"), variance.astype("float64")
        total, delta = self.count + count, mean - self.mean
        self.squares = self.squares + variance * count + delta**2 * (self.count * count / total)
        self.mean = self.mean + delta * (count / total)
        self.count = total

    @property
    def variance(self):
        return self.squares / self.count


def _recording_call(number, norm, records):
    inference = norm.call

    def call(inputs, training=None, mask=None):
        mean, variance, count = _moments(norm, inputs, mask)
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)
        records.append((number, (mean, variance, count)))
        return inference(inputs, training=False, mask=mask)

    return call


def _moments(norm, inputs, mask):
    inputs = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
    axes = [axis for axis in range(len(inputs.shape)) if axis != norm.axis % len(inputs.shape)]
    if mask is None:
        weights, count = None, ops.prod(ops.take(ops.cast(ops.shape(inputs), "int64"), axes))
    else:
        weights = ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        count = ops.sum(weights)
    center = _average(inputs, axes, weights)
    residuals = inputs - center
    # The rounding error of the float32 mean, which matters if means are far from zero and deviations small.
    error = _average(residuals, axes, weights)
    variance = _average(ops.square(residuals), axes, weights) - ops.square(error)
    mean = ops.cast(center, "float64") + ops.cast(error, "float64")
    return ops.squeeze(mean, axes), ops.squeeze(variance, axes), count


def _average(values, axes, weights):
    if weights is None:
        return ops.mean(values, axes, keepdims=True)
    return ops.sum(values * weights, axes, keepdims=True) / ops.maximum(ops.sum(weights), 1)


def _inputs(batches, steps):
    if isinstance(batches, keras.utils.PyDataset):
        batches = map(batches.__getitem__, itertools.islice(itertools.count(), batches.num_batches))
    elif (
        isinstance(batches, tf.data.Dataset) and steps is None and batches.cardinality() == tf.data.INFINITE_CARDINALITY
    ):
        raise InputError("The dataset repeats infinitely: give the number of batches to use as `steps`.")
    return (keras.utils.unpack_x_y_sample_weight(batch)[0] for batch in batches)


def _assign(norms, populations):
    for norm, population in zip(norms, populations, strict=True):
        if not population.count:
            raise InputError("There are no data to recalibrate from: got no batch, expected at least one.")
        if not np.isfinite([population.mean, population.variance]).all():
            raise InputError(
                f"The statistics of {norm.name!r} would not be finite: look for NaN or infinite values in the data or "
                "the weights."
            )
    for norm, population in zip(norms, populations, strict=True):
        norm.moving_mean.assign(population.mean)
        norm.moving_variance.assign(population.variance)
    return len(norms)
