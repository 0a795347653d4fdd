"""Learning rate finder: a short trial training at rising rates, after which all state is restored."""

import contextlib
import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.system.global_state import restored_random_state
from tl_keras.transfer.phase_optimizer import innermost_optimizer, unbuilt_copy
from tl_keras.transfer.restoring import restored_variables

SMOOTHING_SHARE = 0.2
"""Share of the sweep over which the loss is smoothed: at 100 steps the decay is 0.95."""
DIVERGENCE = 4.0
"""The sweep ends when the smoothed loss exceeds its minimum by this factor, as in fastai."""
MIN_STEPS = 10
NOISE_FACTOR = 6.0
"""Standard errors of its mean by which the loss must fall to count as falling; 0.6 % of 4000 sweeps of noise do."""
UNLIMITED = 2**31


@dataclass(frozen=True, eq=False)
class LearningRateCurve:
    """Holds the loss at each learning rate of a sweep.

    Attributes:
        rates: float64 (n,), rising by a constant factor; n is smaller than `steps` if the loss diverged earlier.
        losses: float64 (n,), the loss of the batches at each rate, before their update.
        smoothed: float64 (n,), the bias-corrected exponential moving average of the losses.
        suggestion: suggested peak learning rate, or None if the loss never fell. It is the rate at which the smoothed
            loss is halfway between its mean over the first fifth of the sweep and its minimum. The fall is steepest
            there, but the point does not depend on the slope of a noisy curve. On 7 small tasks with 3 sweeps each, the
            validation loss was 1.24 times that of the best of 16 rates; it was 1.37 times for the steepest slope, 1.39
            for a tenth of the rate of the minimum, and 2.15 for fastai's default, the valley rule
            (https://github.com/fastai/fastai/pull/3377), whose rates are lower.
        remark: reason why there is no suggestion, or a caveat; an empty string if there is nothing to add.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    remark: str = ""

    @property
    def still_falling(self):
        """End of the sweep: True if the loss was still falling there, so that a higher rate may be better."""
        return self.suggestion is not None and int(np.argmin(self.smoothed)) + 1 == len(self.rates)


def find_learning_rate(model, x, y=None, *, batch_size=None, lowest=1e-6, highest=1.0, steps=100):
    """Records the loss of a model at exponentially rising learning rates, and restores all state afterwards.

    The range test of Smith 2017 (https://arxiv.org/abs/1506.01186, section 3.3). It trains the weights that are
    currently trainable. The steps are those of `fit`, taken by a copy of the optimizer with the same moments, rate
    multipliers of a `StagedAdamW`, clipping, averaging, gradient accumulation and loss scaling; a learning rate
    schedule is replaced by the rates of the sweep. With accumulation over k batches, each rate is used for k batches.

    Afterwards the variables of the model (including statistics and seed generators), its optimizer, its metrics, the
    train function and the global random states of Python, NumPy, TensorFlow and Keras are bit-identical, even if the
    sweep is interrupted. Only the data cannot be restored: a generator is consumed, and a `tf.data.Dataset` that
    reshuffles in each pass has made one or more passes.

    Args:
        model: built and compiled `keras.Model`.
        x: training data as in `fit`: arrays, or batches from a `tf.data.Dataset`, `keras.utils.PyDataset` or
            generator. It is repeated as often as the steps require.
        y: targets if `x` is arrays; None (default) otherwise.
        batch_size: number of examples per step if `x` is arrays, at least 1; None (default) uses 32.
        lowest: first learning rate, above 0, default 1e-6.
        highest: last learning rate, above `lowest`, default 1.0.
        steps: number of learning rates, at least 10, default 100.

    Returns:
        `LearningRateCurve`.

    Raises:
        InputError: rates or steps are out of range; the model is not built, not compiled or has no trainable weights;
            there are no data; or the loss is not finite at the lowest rate.
    """
    _check(model, lowest, highest, steps)
    optimizer = innermost_optimizer(model.optimizer)
    sweep = _Sweep(np.geomspace(lowest, highest, steps), optimizer.gradient_accumulation_steps or 1)
    random_states = [tf.random.get_global_generator().state]
    with restored_random_state(), restored_variables(random_states), _restored_model(model):
        with model.distribute_strategy.scope():
            model.optimizer = _copy_of(model.optimizer, float(lowest), model.trainable_variables)
        model.fit(x, y, batch_size=batch_size, epochs=UNLIMITED, shuffle=y is not None, verbose=0, callbacks=[sweep])
    if sweep.last_loss is None:
        raise InputError("There are no data to train on: got no batch, expected at least one.")
    if not sweep.smoothed:
        raise InputError(
            f"The loss is {sweep.last_loss} at the lowest learning rate {lowest:g}: look for values in the data or the "
            "weights that are not finite, or start at a lower rate."
        )
    rates = sweep.rates[: len(sweep.smoothed)]
    losses, smoothed = np.array(sweep.losses), np.array(sweep.smoothed)
    return LearningRateCurve(rates, losses, smoothed, *_suggest(rates, losses, smoothed, sweep.decay))


def _suggest(rates, losses, smoothed, decay):
    first = max(3, len(rates) // 5)
    if len(rates) <= first:
        return None, f"The loss diverged, or the data ended, before it could fall: start at a rate below {rates[0]:g}."
    start, end = losses[:first].mean(), first + int(np.argmin(smoothed[first:]))
    noise = losses[:first].std(ddof=1) * math.sqrt((1 - decay) / (1 + decay))
    if start - smoothed[end] <= NOISE_FACTOR * noise:
        return None, (
            f"The loss never fell by more than its noise between {rates[0]:g} and {rates[-1]:g}: sweep other rates, "
            "use more steps or larger batches, or check whether the labels belong to the data."
        )
    halfway = smoothed[first : end + 1] <= (start + smoothed[end]) / 2
    remark = f"The loss was still falling at {rates[-1]:g}: give a higher `highest`." if end + 1 == len(rates) else ""
    return float(rates[first + int(np.argmax(halfway))]), remark


class _Sweep(keras.callbacks.Callback):
    """Sets the rate of each step and collects the losses until they diverge."""

    def __init__(self, rates, batches_per_rate):
        super().__init__()
        self.rates = rates
        self.losses, self.smoothed = [], []
        self.decay = 1 - 1 / (SMOOTHING_SHARE * len(rates))
        self._batches_per_rate = batches_per_rate
        self._batches, self._average = 0, 0.0
        self.last_loss = None

    def on_epoch_begin(self, epoch, logs=None):
        self._batches_before = self._batches

    def on_epoch_end(self, epoch, logs=None):
        batches = self._batches - self._batches_before
        self._first_epoch = batches if epoch == 0 else self._first_epoch
        # Keras 3.15.1 yields the first two batches of an exhausted generator again in each epoch.
        if batches == 0 or batches < self._first_epoch / 2:
            self.model.stop_training = True

    def on_train_batch_begin(self, batch, logs=None):
        if self._batches % self._batches_per_rate == 0:
            # `fit` reports the mean loss since this reset.
            self.model.reset_metrics()
            self.model.optimizer.learning_rate = self.rates[len(self.losses)]

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self._batches % self._batches_per_rate == 0:
            self._record(_loss_of(logs))

    def _record(self, loss):
        self.last_loss = loss
        if not math.isfinite(loss):
            self.model.stop_training = True
            return
        self._average = self.decay * self._average + (1 - self.decay) * loss
        self.losses.append(loss)
        self.smoothed.append(self._average / (1 - self.decay ** len(self.losses)))
        best = min(self.smoothed)
        if self.smoothed[-1] > best + (DIVERGENCE - 1) * abs(best) or len(self.losses) == len(self.rates):
            self.model.stop_training = True


def _loss_of(logs):
    if "loss" not in (logs or {}):
        raise InputError("The train step of the model reports no 'loss': return it under this name.")
    return float(logs["loss"])


@contextlib.contextmanager
def _restored_model(model):
    """Restores the variables, metrics and attributes of a model that `fit` changes."""
    names = ("optimizer", "train_function", "history", "stop_training", "steps_per_execution")
    attributes = {name: getattr(model, name) for name in names if hasattr(model, name)}
    with restored_variables([*model.variables, *model.metrics_variables]):
        # Trace a new train function: the states of random operations inside an existing one cannot be read.
        model.train_function, model.steps_per_execution = None, 1
        try:
            yield
        finally:
            for name in names:
                if name in attributes:
                    setattr(model, name, attributes[name])
                elif hasattr(model, name):
                    delattr(model, name)
            model.reset_metrics()


def _copy_of(optimizer, learning_rate, variables):
    """Copies an optimizer with its state, so that the learning rate can be set.

    The copy is built immediately, over `variables` if the original is not built yet: building it inside the train
    function would cost a second trace.
    """
    copy = unbuilt_copy(optimizer, {"learning_rate": learning_rate})
    copy.build(innermost_optimizer(optimizer)._trainable_variables if optimizer.built else variables)
    if optimizer.built:
        for new, old in zip(_state(copy), _state(optimizer), strict=True):
            new.assign(old)
    return copy


def _state(optimizer):
    inner = innermost_optimizer(optimizer)
    own = [variable for variable in optimizer._variables if variable is not optimizer._learning_rate]
    return own if inner is optimizer else own + _state(inner)


def _check(model, lowest, highest, steps):
    if not (0 < lowest < highest < math.inf):
        raise InputError(
            f"The learning rates range from {lowest} to {highest}: expected finite numbers with 0 < lowest < highest."
        )
    if steps < MIN_STEPS or steps % 1:
        raise InputError(f"steps is {steps}, expected a whole number, at least {MIN_STEPS}, such as 100.")
    if not model.built or not model.weights:
        raise InputError("The model has no weights yet: build it first, for example by calling it on a batch.")
    if getattr(model, "optimizer", None) is None:
        raise InputError("The model is not compiled: give it an optimizer and a loss with model.compile first.")
    if not model.trainable_variables:
        raise InputError("Nothing would be trained: all weights of the model are frozen; unfreeze some with freeze_to.")
