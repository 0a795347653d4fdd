"""Callback that saves checkpoints, from which an interrupted run resumes."""

import json
import math
import time
from pathlib import Path

import keras
import numpy as np

from tl_keras.callbacks.checkpoint_files import write_checkpoint
from tl_keras.callbacks.checkpoint_variables import digest_of, saved_variables
from tl_keras.errors import InputError
from tl_keras.system.durations import Interval
from tl_keras.system.interruption import SIGNALS, StopSignals
from tl_keras.system.stored.arrays import are_alike

VALIDATION_PATIENCE = 20.0
"""Seconds that a validation may still run after a stop signal, so that the epoch is saved as a whole."""

LOSSES_READ_AT_ONCE = 16
"""Executions after which their losses are read, since reading waits for the device."""


class NotFinite(ArithmeticError):
    """Signals that the loss or a weight is no longer finite.

    Args:
        epochs: number of completed epochs, int.
        steps: number of completed steps of the next epoch, including the one that showed it; 0 if the last step of an
            epoch showed it.
    """

    def __init__(self, epochs, steps):
        super().__init__(f"batch {steps} of epoch {epochs + 1}" if steps else f"the last batch of epoch {epochs}")


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves a checkpoint after every epoch and at intervals within epochs, and keeps the newest two.

    A checkpoint contains every variable that a phase may have changed so far (including seed generators), those of the
    optimizer and the metrics, the history and the state of the phases; of untouched variables it contains a hash.
    Weights that are not finite are never saved. Place it after `ProgressiveUnfreezing` in the list of callbacks.

    Args:
        folder: path of the checkpoints' folder, created if missing.
        progress: `Progress`, updated after each epoch.
        unfreezing: the prepared `ProgressiveUnfreezing` of the same `fit`.
        model: `keras.Model` to save; `fit` may train only a suffix of it.
        interval: `Interval` between checkpoints within an epoch; None (default): only at the end of epochs.
        signals: `StopSignals`, handled after the current step; None (default): signals are not handled.
        agree: function that takes a list of bool and returns for each whether it is True in any process of the run;
            the default is for a single process.

    Raises:
        NotFinite: the loss or a weight is no longer finite.
        Interrupted: after a checkpoint, if a signal has asked to stop.
    """

    def __init__(self, folder, progress, unfreezing, model, interval=None, signals=None, agree=list):
        super().__init__()
        self.folder = Path(folder)
        self.progress = progress
        self.unfreezing = unfreezing
        self.interval = interval or Interval()
        self.signals = signals or StopSignals()
        self.whole_model = model
        self.agree = agree
        self._digests = {}
        self._losses = []
        self._reset_interval()

    def on_train_begin(self, logs=None):
        """Defers signals to the end of a step."""
        self.signals.deferring = True
        self._losses = []

    def on_train_end(self, logs=None):
        """Stops deferring signals, and stops the run if one arrived after the last checkpoint."""
        self.signals.deferring = False
        self._stop_if_agreed()

    def on_epoch_begin(self, epoch, logs=None):
        """Restores the metrics of an epoch that was resumed in its middle."""
        if self.progress.metrics:
            if not are_alike(self.progress.metrics, self.model.metrics_variables):
                raise InputError(f"The checkpoint in {str(self.folder)!r} has metrics of another model: remove it.")
            # Inside the scope, a value is the sum over all devices; outside, that of one device.
            with self.whole_model.distribute_strategy.scope():
                for variable, array in zip(self.model.metrics_variables, self.progress.metrics, strict=True):
                    variable.assign(array)
            self.progress.metrics = []

    def on_train_batch_end(self, batch, logs=None):
        """Saves a checkpoint if one is due, and stops the run if a signal has asked for it."""
        steps = self.unfreezing.snapshot()["steps"]
        self._losses.append((steps, (logs or {}).get("loss", 0.0)))
        if len(self._losses) == LOSSES_READ_AT_ONCE:
            self._check_losses()
        self._steps_since += self.model.steps_per_execution
        # After the last step, `on_epoch_end` saves.
        if steps != self.params["steps"] and any(flags := self._agreed_flags()):
            self.save(self.model.metrics_variables)
            self._stop_if_agreed(flags)

    def on_test_batch_end(self, batch, logs=None):
        """Stops the run if a signal has asked for it and the validation takes too long."""
        self.signals.check(VALIDATION_PATIENCE)

    def on_epoch_end(self, epoch, logs=None):
        """Updates the history and saves the state at the start of the next epoch."""
        self._check_losses()
        logs, history = logs or {}, self.progress.history
        for name in {**history, **logs}:
            values = history.setdefault(name, [None] * epoch)
            values.append(float(logs[name]) if name in logs else None)
        self.progress.epochs = epoch + 1
        self.save()
        self._stop_if_agreed()

    def save(self, metrics_variables=()):
        """Writes a checkpoint of this step.

        Args:
            metrics_variables: list of the metrics' `keras.Variable`, needed in the middle of an epoch; default: none.

        Raises:
            NotFinite: the loss or a weight is not finite.
            OSError: the disk is full; the older checkpoints are unchanged.
        """
        self._check_losses()
        unfreezing, progress = self.unfreezing, self.progress
        # If a phase has just ended, use the next one's list: the variables it will change are saved as well.
        phase, phases = min(len(unfreezing.state["ends"]), len(unfreezing.phases) - 1), unfreezing.snapshot()
        state = {"epochs": progress.epochs, "history": progress.history, "phases": phases, "phase": phase}
        variables = saved_variables(self.whole_model, unfreezing.untouched[phase])
        arrays = {name: variable.numpy() for name, variable in variables.items()}
        if not all(np.isfinite(array).all() for name, array in arrays.items() if name.startswith("model-")):
            raise NotFinite(progress.epochs, phases["steps"])
        arrays |= {f"best-{number}": array for number, array in enumerate(unfreezing.best_weights)}
        with self.whole_model.distribute_strategy.scope():
            arrays |= {f"metric-{number}": variable.numpy() for number, variable in enumerate(metrics_variables)}
        if phase not in self._digests:
            self._digests[phase] = digest_of(unfreezing.untouched[phase])
        arrays |= {"state": np.array(json.dumps(state)), "untouched": np.array(self._digests[phase])}
        write_checkpoint(self.folder, progress.epochs, phases["steps"], arrays)
        self._reset_interval()

    def _check_losses(self):
        losses, self._losses = self._losses, []
        for steps, loss in losses:
            if not math.isfinite(loss):
                raise NotFinite(self.progress.epochs, steps)

    def _reset_interval(self):
        self._saved_at, self._steps_since = time.monotonic(), 0

    def _agreed_flags(self):
        """Returns a bool for each of `SIGNALS` that any process received, and one for a due checkpoint."""
        return self.agree([*(self.signals.received == number for number in SIGNALS), self._is_due()])

    def _stop_if_agreed(self, flags=None):
        """Stops if all processes know of a signal; one that only this process has received waits a step."""
        for number, is_received in zip(SIGNALS, flags or self._agreed_flags(), strict=False):
            if is_received:
                self.signals.receive(number)
                self.signals.check()

    def _is_due(self):
        seconds, steps = self.interval.seconds or math.inf, self.interval.steps or math.inf
        return self._steps_since >= steps or time.monotonic() - self._saved_at >= seconds
