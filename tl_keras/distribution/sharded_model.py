"""Steps over shards that equal those of one device over whole batches, on one machine or several.

`fit` of Keras 3.15 does not run on several workers (https://github.com/keras-team/keras/issues/20585) for two reasons:
it builds the model on what all replicas were given in place of one replica's batch, and it takes the mean of the
metrics over an axis that scalars do not have. Both methods are replaced here; `tests/distribution` tells when Keras has
mended them.
"""

import keras
import tensorflow as tf

from tl_keras.errors import InputError

KERAS = "3.15."
"""Versions whose trainer this file was written against."""


class ShardedSteps:
    """What a Keras model trains and tests on shards with, made by `shard_batches`, whose sizes may differ.

    The step is that of Keras but for three things. Each replica's mean loss counts by its share of the batch; Keras
    lets a shard of 3 count as much as one of 4, and an empty one makes the weights NaN. Gradients are summed over the
    replicas before the optimizer sees them, so that it clips, and looks for infinities in, what one device would have;
    Keras does both on each replica alone. And the logs of a step are those of one replica: `fit` asks the metrics
    themselves, summed, at the end of an epoch.

    Batch normalization that learns its statistics takes them over the whole batch.

    Where several steps are executed at once, `fit` hears of their end alone, and so their learning rates have to be
    announced before.
    """

    def announce_rates(self, rates):
        """Takes the learning rates of the next execution, one for each of its steps: a list of float."""
        self._coming_rates.assign(rates)

    def train_step(self, data):
        """Learns from one shard."""
        data, count = _without_emptiness(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        replicas = tf.distribute.get_replica_context()
        share = count / replicas.all_reduce(tf.distribute.ReduceOp.SUM, count)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            mean = self._mean_loss(x, y, y_pred, sample_weight, training=True)
            loss = self.optimizer.scale_loss(mean * tf.cast(share, mean.dtype))
        gradients = tape.gradient(loss, self.trainable_weights)
        known = [pair for pair in zip(gradients, self.trainable_weights, strict=True) if pair[0] is not None]
        summed = replicas.all_reduce(tf.distribute.ReduceOp.SUM, [gradient for gradient, _ in known])
        self.optimizer.apply_gradients([(total, weight) for total, (_, weight) in zip(summed, known, strict=True)])
        return self._measure(mean, count, x, y, y_pred, sample_weight)

    def test_step(self, data):
        """Measures one shard."""
        data, count = _without_emptiness(data)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        mean = self._mean_loss(x, y, y_pred, sample_weight, training=False)
        return self._measure(mean, count, x, y, y_pred, sample_weight)

    def _mean_loss(self, x, y, y_pred, sample_weight, training):
        """The mean over the shard; Keras has divided it by the number of replicas."""
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
        """Builds loss and metrics, for which Keras wants to see a batch: that of one replica."""
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
        """Compiles what an execution does: a step over all replicas, or several."""
        strategy = self.distribute_strategy

        def one_step(iterator):
            logs = strategy.run(step_function, args=(iterator.get_next(),))
            return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], logs)

        def training_steps(iterator):
            for number in tf.range(tf.size(self._coming_rates)):
                self.optimizer.learning_rate.assign(self._coming_rates[number])
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
    """Makes a model train and test on shards.

    Args:
        model: `keras.Model`, made and compiled inside of `strategy.scope()`, with a `StagedAdamW`.
        steps_per_execution: steps that are taken without a word to `fit`; of more than one the rates are announced by
            `announce_rates` before each execution, as `ProgressiveUnfreezing` does.

    Raises:
        InputError: this Keras is another one than this was written for.
    """
    if not keras.__version__.startswith(KERAS):
        raise InputError(
            f"Training on several devices replaces methods of Keras {KERAS}x, but Keras {keras.__version__} is "
            "installed: install keras>=3.15.1,<3.16, or take --distribute cpu or gpu."
        )
    if not isinstance(model, ShardedSteps):
        model.__class__ = type(f"Sharded{type(model).__name__}", (ShardedSteps, type(model)), {})
    getattr(model.optimizer, "inner_optimizer", model.optimizer).gradients_arrive_summed = True
    model.steps_per_execution = steps_per_execution
    if steps_per_execution > 1:
        model._coming_rates = tf.Variable([0.0], shape=(None,), trainable=False)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _without_emptiness(data):
    """Puts one row of ones into an empty shard, whose means would be 0 / 0; it counts for nothing.

    Returns:
        Tuple of the shard and the number of its examples, a float32 scalar.
    """
    first = tf.nest.flatten(data)[0]
    if first.shape[0]:
        return data, tf.constant(first.shape[0], tf.float32)
    count = tf.shape(first)[0]
    missing = tf.cast(count == 0, tf.int32)

    def filled(tensor):
        row = tf.ones(tf.concat([[missing], tf.shape(tensor)[1:]], axis=0), tensor.dtype)
        full = tf.concat([tensor, row], axis=0)
        full.set_shape((None, *tensor.shape[1:]))
        return full

    return tf.nest.map_structure(filled, data), tf.cast(count, tf.float32)
