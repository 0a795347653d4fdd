"""Training on shards of a batch with the same results as one device on the whole batch.

`fit` of Keras 3.15 fails on several workers (https://github.com/keras-team/keras/issues/20585) for two reasons: it
builds the model on the inputs of all replicas instead of one replica's batch, and it averages the metrics over an axis
that scalars do not have. Both methods are replaced here; a test in `tests/distribution` fails once Keras is fixed.
"""

import keras
import tensorflow as tf

from tl_keras.errors import InputError

KERAS = "3.15."
"""Keras versions whose trainer this file was written for."""


class ShardedSteps:
    """Trains and evaluates a Keras model on shards of different sizes from `shard_batches`.

    A mix-in for a model's class. The step differs from Keras in three ways. Each replica's mean loss is weighted by its
    share of the batch; Keras weights a shard of 3 like one of 4, and an empty one makes the weights NaN. Gradients are
    summed over the replicas before the optimizer gets them, so that it clips them and checks them for infinities as on
    one device; Keras does both on each replica separately. The logs of a step are those of one replica; at the end of
    an epoch `fit` reads the metrics themselves, which are summed over replicas.

    Trainable batch normalization computes its statistics over the whole batch.

    With several steps per execution, `fit` is only notified after the last one, so their learning rates must be
    announced in advance.
    """

    def announce_rates(self, rates):
        """Sets the learning rates of the next execution, a list with one float per step."""
        self._next_rates.assign(rates)

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

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Builds loss and metrics with the batch of one replica."""
        if all(part is None or part.built for part in (self._compile_loss, self._compile_metrics)):
            return
        strategy = self.distribute_strategy
        if iterator is not None:
            for _, _, batches in iterator:
                data_batch = tf.nest.map_structure(
                    lambda value: strategy.experimental_local_results(value)[0], next(batches)
                )
                break
        with strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    def _make_function(self, step_function):
        """Compiles an execution of one or several steps over all replicas."""
        strategy = self.distribute_strategy

        def one_step(iterator):
            logs = strategy.run(step_function, args=(iterator.get_next(),))
            return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], logs)

        def training_steps(iterator):
            for number in tf.range(tf.size(self._next_rates)):
                self.optimizer.learning_rate.assign(self._next_rates[number])
                strategy.run(step_function, args=(iterator.get_next(),))
            return self.get_metrics_result()

        def test_steps(iterator):
            for _ in tf.range(self.steps_per_execution):
                batch = iterator.get_next_as_optional()
                if batch.has_value():
                    strategy.run(step_function, args=(batch.get_value(),))
            return self.get_metrics_result()

        several = training_steps if step_function == self.train_step else test_steps
        return tf.function(one_step if self.steps_per_execution == 1 else several, reduce_retracing=True)


def shard_steps(model, steps_per_execution=1):
    """Changes a model in place so that it trains and evaluates on shards.

    Args:
        model: `keras.Model`, created and compiled inside `strategy.scope()` with a `StagedAdamW`.
        steps_per_execution: number of steps per execution, at least 1, default 1. With more than one, the rates must be
            set by `announce_rates` before each execution, as `ProgressiveUnfreezing` does.

    Raises:
        InputError: the Keras version is not supported.
    """
    if not keras.__version__.startswith(KERAS):
        raise InputError(
            f"Training on several devices replaces methods of Keras {KERAS}x, but Keras {keras.__version__} is "
            "installed: install keras>=3.15.1,<3.16, or use --distribute cpu or gpu."
        )
    if not isinstance(model, ShardedSteps):
        model.__class__ = type(f"Sharded{type(model).__name__}", (ShardedSteps, type(model)), {})
    getattr(model.optimizer, "inner_optimizer", model.optimizer).gradients_arrive_summed = True
    model.steps_per_execution = steps_per_execution
    if steps_per_execution > 1:
        model._next_rates = tf.Variable([0.0], shape=(None,), trainable=False)
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
