"""The learning rate finder: a short mock training at rising rates, after which everything is as it was before."""

import contextlib
import math
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from tl_keras.errors import InputError
from tl_keras.system.global_state import restored_random_state
from tl_keras.transfer.phase_optimizer import innermost_optimizer, unbuilt_copy

MEMORY = 0.2
"""The smoothed loss looks back over this share of the sweep: at 100 steps its decay is 0.95."""
DIVERGENCE = 4.0
"""The sweep ends when the smoothed loss is so many times its best, as in fastai."""
MIN_STEPS = 10
NOISE_FACTOR = 6.0
"""A loss that fell by fewer standard errors of its average did not fall: of 4000 sweeps of pure noise 0.6 % do."""
NO_END = 2**31


@dataclass(frozen=True, eq=False)
class LearningRateCurve:
    """The loss at each learning rate of a sweep.

    Attributes:
        rates: float64 (n,), rising by a constant factor; n is smaller than `steps` where the loss diverged before.
        losses: float64 (n,), the loss of the batches trained at each rate, before their update.
        smoothed: float64 (n,), the exponential moving average of the losses, without the bias of its beginning.
        suggestion: the peak learning rate to train at, or None where the loss never fell. It is the rate at which the
            smoothed loss has come half of its way down, from its mean in the first fifth of the sweep to its lowest.
            There the fall is steepest, but the place does not hang on the slope of a noisy curve. On 7 small tasks, 3
            sweeps each, its validation loss was 1.24 times that of the best of 16 rates; 1.37 times for the steepest
            slope, 1.39 for a tenth of the rate of the lowest loss, and 2.15 for the valley rule that is fastai's
            default (https://github.com/fastai/fastai/pull/3377), whose rates are lower.
        remark: a sentence that says why there is no suggestion, or how far to trust it; empty where all is well.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    remark: str = ""


def find_learning_rate(model, x, y=None, *, batch_size=None, lowest=1e-6, highest=1.0, steps=100):
    """Trains a model for a few steps at exponentially rising rates, watches its loss, and undoes it all.

    The range test of Smith 2017 (https://arxiv.org/abs/1506.01186, section 3.3). What learns is what the `trainable`
    flags say now. The steps are those of `fit`, taken by a copy of the optimizer: its moments, the rate multipliers of
    a `StagedAdamW`, clipping, averaging, gradient accumulation and loss scaling are the ones of the compiled model, a
    learning rate schedule gives way to the rates of the sweep. With accumulation over k batches each rate gets k.

    Afterwards the variables of the model (statistics and seed generators included), its optimizer and its metrics, the
    train function and the global random states of Python, NumPy, TensorFlow and Keras are bit-identical, also when the
    sweep is interrupted. What cannot be put back is the data: a generator is used up, and a `tf.data.Dataset` that
    draws a new order in each pass has had one pass or more.

    Args:
        model: built and compiled `keras.Model`.
        x: what `fit` takes as x: arrays, or batches from a `tf.data.Dataset`, `keras.utils.PyDataset` or generator. It
            is gone through as often as the steps need.
        y: targets, where x is arrays.
        batch_size: examples of a step, where x is arrays; by default 32.
        lowest: first learning rate, above 0.
        highest: last learning rate, above `lowest`.
        steps: number of rates, at least 10.

    Returns:
        `LearningRateCurve`.

    Raises:
        InputError: rates or steps out of range, a model that is not built, not compiled or has nothing to learn, no
            data, or a loss that is not finite at the lowest rate.
    """
    _check(model, lowest, highest, steps)
    optimizer = innermost_optimizer(model.optimizer)
    sweep = _Sweep(np.geomspace(lowest, highest, steps), optimizer.gradient_accumulation_steps or 1)
    with _random_states_kept(), _model_kept(model):
        with model.distribute_strategy.scope():
            model.optimizer = _copy_of(model.optimizer, float(lowest), model.trainable_variables)
        model.fit(x, y, batch_size=batch_size, epochs=NO_END, shuffle=y is not None, verbose=0, callbacks=[sweep])
    if sweep.last_loss is None:
        raise InputError("There is nothing to train on: got no batch, expected at least one.")
    if not sweep.smoothed:
        raise InputError(
            f"The loss is {sweep.last_loss} at the lowest learning rate {lowest:g}: look for values in the data or the "
            "weights that are not finite, or begin at a lower rate."
        )
    rates = sweep.rates[: len(sweep.smoothed)]
    losses, smoothed = np.array(sweep.losses), np.array(sweep.smoothed)
    return LearningRateCurve(rates, losses, smoothed, *_suggest(rates, losses, smoothed, sweep.decay))


def _suggest(rates, losses, smoothed, decay):
    first = max(3, len(rates) // 5)
    if len(rates) <= first:
        return None, f"The loss diverged, or the data ended, before it could fall: begin at a rate below {rates[0]:g}."
    start, end = losses[:first].mean(), first + int(np.argmin(smoothed[first:]))
    noise = losses[:first].std(ddof=1) * math.sqrt((1 - decay) / (1 + decay))
    if start - smoothed[end] <= NOISE_FACTOR * noise:
        return None, (
            f"The loss never fell by more than its noise between {rates[0]:g} and {rates[-1]:g}: sweep other rates, "
            "give more steps or larger batches, or look whether the labels belong to the data."
        )
    halfway = smoothed[first : end + 1] <= (start + smoothed[end]) / 2
    remark = f"The loss was still falling at {rates[-1]:g}: sweep higher." if end + 1 == len(rates) else ""
    return float(rates[first + int(np.argmax(halfway))]), remark


class _Sweep(keras.callbacks.Callback):
    """Sets the rate of each step, and collects the losses until they diverge."""

    def __init__(self, rates, batches_per_rate):
        super().__init__()
        self.rates = rates
        self.losses, self.smoothed = [], []
        self.decay = 1 - 1 / (MEMORY * len(rates))
        self._batches_per_rate = batches_per_rate
        self._batches, self._average = 0, 0.0
        self.last_loss = None

    def on_epoch_begin(self, epoch, logs=None):
        self._batches_before = self._batches

    def on_epoch_end(self, epoch, logs=None):
        batches = self._batches - self._batches_before
        self._first_epoch = batches if epoch == 0 else self._first_epoch
        # Of a generator that is used up Keras 3.15.1 gives the first two batches again in each epoch.
        if batches == 0 or batches < self._first_epoch / 2:
            self.model.stop_training = True

    def on_train_batch_begin(self, batch, logs=None):
        if self._batches % self._batches_per_rate == 0:
            # The loss that `fit` reports is the mean since then.
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
def _model_kept(model):
    """Puts back what a `fit` changes of a model: variables, metrics, and what hangs on it as attributes."""
    names = ("optimizer", "train_function", "history", "stop_training", "steps_per_execution")
    attributes = {name: getattr(model, name) for name in names if hasattr(model, name)}
    variables = _values([*model.variables, *model.metrics_variables])
    # A train function of its own: the random operations inside one that is there have states that cannot be read.
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
        _assign(variables)


@contextlib.contextmanager
def _random_states_kept():
    """Restores the states that unseeded random operations draw from."""
    variables = _values([tf.random.get_global_generator().state])
    with restored_random_state():
        try:
            yield
        finally:
            _assign(variables)


def _values(variables):
    return [(variable, variable.numpy()) for variable in variables]


def _assign(variables):
    for variable, value in variables:
        variable.assign(value)


def _copy_of(optimizer, learning_rate, variables):
    """Makes an optimizer in the state of another one, whose learning rate can be set.

    It is built at once, over `variables` if the other one is not built yet: what is first made inside of the train
    function costs a second trace.
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
            f"The learning rates go from {lowest} to {highest}: expected finite numbers with 0 < lowest < highest."
        )
    if steps < MIN_STEPS or steps % 1:
        raise InputError(f"steps is {steps}, expected a whole number, at least {MIN_STEPS}, such as 100.")
    if not model.built or not model.weights:
        raise InputError("The model has no weights yet: build it first, for example by calling it on a batch.")
    if getattr(model, "optimizer", None) is None:
        raise InputError("The model is not compiled: give it an optimizer and a loss with model.compile first.")
    if not model.trainable_variables:
        raise InputError("Nothing would be trained: all weights of the model are frozen, thaw some with freeze_to.")
