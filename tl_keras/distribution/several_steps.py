"""Several steps of a model per execution, each at its own learning rate."""

import keras
import tensorflow as tf

from tl_keras.errors import InputError

KERAS = "3.15."
"""Keras versions whose trainer this file and `sharded_model` were written for."""


class SeveralSteps:
    """Computes several steps of a Keras model before the host reads the loss and calls the callbacks.

    A mix-in for a model's class. Keras does the same, but at one learning rate for all steps of an execution, and it
    takes more steps than an epoch has if the data do not end there. As `fit` is only notified after the last step, the
    learning rates must be announced in advance.
    """

    def announce_rates(self, rates):
        """Sets the learning rates of the next execution, a list with one float per step."""
        self._next_rates.assign(rates)

    def compiled_step(self, step_function):
        """Compiles one step with XLA where the model asks for it."""
        return tf.function(step_function, jit_compile=True) if self.jit_compile else step_function

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
        strategy, step = self.distribute_strategy, self.compiled_step(step_function)

        def one_step(iterator):
            logs = strategy.run(step, args=(iterator.get_next(),))
            return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], logs)

        def training_steps(iterator):
            for number in tf.range(tf.size(self._next_rates)):
                self.optimizer.learning_rate.assign(self._next_rates[number])
                strategy.run(step, args=(iterator.get_next(),))
            return self.get_metrics_result()

        def test_steps(iterator):
            for _ in tf.range(self.steps_per_execution):
                batch = iterator.get_next_as_optional()
                if batch.has_value():
                    strategy.run(step, args=(batch.get_value(),))
            return self.get_metrics_result()

        several = training_steps if step_function == self.train_step else test_steps
        return tf.function(one_step if self.steps_per_execution == 1 else several, reduce_retracing=True)


def execute_several_steps(model, steps_per_execution, kind=SeveralSteps):
    """Changes a model in place so that it computes several steps per execution.

    Args:
        model: compiled `keras.Model`.
        steps_per_execution: number of steps per execution, at least 1. With more than one, the rates must be set by
            `announce_rates` before each execution, as `ProgressiveUnfreezing` does.
        kind: class to mix in, `SeveralSteps` (default) or a subclass.

    Raises:
        InputError: the Keras version is not supported.
    """
    if not keras.__version__.startswith(KERAS):
        raise InputError(
            f"Several devices, or steps per execution, replace methods of Keras {KERAS}x, but Keras "
            f"{keras.__version__} is installed: install keras>=3.15.1,<3.16, or use --distribute cpu or gpu without "
            "--steps_per_execution."
        )
    if not isinstance(model, kind):
        model.__class__ = type(f"{kind.__name__}{type(model).__name__}", (kind, type(model)), {})
    model.steps_per_execution = steps_per_execution
    if steps_per_execution > 1:
        model._next_rates = tf.Variable([0.0], shape=(None,), trainable=False)
