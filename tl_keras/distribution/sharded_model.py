"""Training on shards of a batch with the same results as one device on the whole batch.

`fit` of Keras 3.15 fails on several workers (https://github.com/keras-team/keras/issues/20585) for two reasons: it
builds the model on the inputs of all replicas instead of one replica's batch, and it averages the metrics over an axis
that scalars do not have. `SeveralSteps` replaces both; a test in `tests/distribution` fails once Keras is fixed.
"""

import keras
import tensorflow as tf

from tl_keras.distribution.several_steps import SeveralSteps, execute_several_steps


class ShardedSteps(SeveralSteps):
    """Trains and evaluates a Keras model on shards of different sizes from `shard_batches`.

    A mix-in for a model's class. The step differs from Keras in three ways. Each replica's mean loss is weighted by its
    share of the batch; Keras weights a shard of 3 like one of 4, and an empty one makes the weights NaN. Gradients are
    summed over the replicas before the optimizer gets them, so that it clips them and checks them for infinities as on
    one device; Keras does both on each replica separately. The logs of a step are those of one replica; at the end of
    an epoch `fit` reads the metrics themselves, which are summed over replicas.

    Trainable batch normalization computes its statistics over the whole batch.
    """

    def compiled_step(self, step_function):
        """Returns a step as it is, since the devices compile it."""
        return step_function

    def train_step(self, data):
        """Trains on one shard."""
        data, count = _fill_empty_shard(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        replicas = tf.distribute.get_replica_context()
        share = count / replicas.all_reduce(tf.distribute.ReduceOp.SUM, count)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            mean = self._mean_loss(x, y, y_pred, sample_weight, training=True)
            loss = self.optimizer.scale_loss(mean * tf.cast(share, mean.dtype))
        gradients = tape.gradient(loss, self.trainable_weights)
        pairs = [pair for pair in zip(gradients, self.trainable_weights, strict=True) if pair[0] is not None]
        summed = replicas.all_reduce(tf.distribute.ReduceOp.SUM, [gradient for gradient, _ in pairs])
        self.optimizer.apply_gradients([(total, weight) for total, (_, weight) in zip(summed, pairs, strict=True)])
        return self._measure(mean, count, x, y, y_pred, sample_weight)

    def test_step(self, data):
        """Evaluates one shard."""
        data, count = _fill_empty_shard(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        mean = self._mean_loss(x, y, y_pred, sample_weight, training=False)
        return self._measure(mean, count, x, y, y_pred, sample_weight)

    def _mean_loss(self, x, y, y_pred, sample_weight, training):
        """Computes the mean loss of the shard, which Keras divides by the number of replicas."""
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        return loss * tf.cast(tf.distribute.get_strategy().num_replicas_in_sync, loss.dtype)

    def _measure(self, mean, count, x, y, y_pred, sample_weight):
        self._loss_tracker.update_state(mean, sample_weight=count)
        size = tf.cast(count, tf.int32)
        y, y_pred, sample_weight = tf.nest.map_structure(
            lambda tensor: None if tensor is None else tensor[:size], (y, y_pred, sample_weight)
        )
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)


def shard_steps(model, steps_per_execution=1):
    """Changes a model in place so that it trains and evaluates on shards.

    Args:
        model: `keras.Model`, created and compiled inside `strategy.scope()` with a `StagedAdamW`.
        steps_per_execution: number of steps per execution, at least 1, default 1. With more than one, the rates must be
            set by `announce_rates` before each execution, as `ProgressiveUnfreezing` does.

    Raises:
        InputError: the Keras version is not supported.
    """
    execute_several_steps(model, steps_per_execution, ShardedSteps)
    getattr(model.optimizer, "inner_optimizer", model.optimizer).gradients_arrive_summed = True
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _fill_empty_shard(data):
    """Adds one row of ones to an empty shard so that means are defined; the row has weight zero.

    Returns:
        Tuple of the shard and the number of its examples, a float32 scalar.
    """
    first = tf.nest.flatten(data)[0]
    if first.shape[0]:
        return data, tf.constant(first.shape[0], tf.float32)
    count = tf.shape(first)[0]
    missing = tf.cast(count == 0, tf.int32)

    def fill(tensor):
        row = tf.ones(tf.concat([[missing], tf.shape(tensor)[1:]], axis=0), tensor.dtype)
        filled = tf.concat([tensor, row], axis=0)
        filled.set_shape((None, *tensor.shape[1:]))
        return filled

    return tf.nest.map_structure(fill, data), tf.cast(count, tf.float32)
