"""Checkpoints: where an interrupted run goes on."""

import json
import math
import time
from pathlib import Path

import keras
import numpy as np

from tl_keras.callbacks.checkpoint_files import write_checkpoint
from tl_keras.callbacks.checkpoint_variables import digest_of, saved_variables
from tl_keras.system.durations import Interval
from tl_keras.system.interruption import SIGNALS, StopSignals

VALIDATION_PATIENCE = 20.0
"""Seconds that a validation may take to its end after a signal asked to stop: the epoch is then saved whole."""


class NotFinite(ArithmeticError):
    """The loss or a weight is no longer a finite number.

    Args:
        epochs: how many epochs were done before.
        steps: how many steps of the next one were done, the one that shows it included; 0 where its last one did.
    """

    def __init__(self, epochs, steps):
        super().__init__(f"batch {steps} of epoch {epochs + 1}" if steps else f"the last batch of epoch {epochs}")


class SaveCheckpoints(keras.callbacks.Callback):
    """Saves a run at the end of every epoch and in between, the newest two kept.

    A checkpoint holds every variable that a phase may have changed so far (seed generators included), those of the
    optimizer and the metrics, the history and what the phases have decided; of what is still untouched it holds a hash.
    Weights that are not finite are never saved. Comes after `ProgressiveUnfreezing` in the list of callbacks.

    Args:
        folder: path of the checkpoints' folder.
        progress: `Progress`; it grows with each epoch.
        unfreezing: the `ProgressiveUnfreezing` of the same `fit`, prepared.
        model: the model to save, of which `fit` may train only a suffix.
        interval: `Interval` between checkpoints within an epoch; by default there are none.
        signals: `StopSignals`, heeded after the step that is being computed; by default none come.
        agree: function of a list of flags that tells of each whether any process of the run has raised it; by default
            there is one process.

    Raises:
        NotFinite: the loss or a weight is not finite any more.
        Interrupted: after a checkpoint, where a signal asked for it.
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
        self._rest()

    def on_train_begin(self, logs=None):
        """Lets signals wait for the end of a step."""
        self.signals.deferring = True

    def on_train_end(self, logs=None):
        """Lets signals come through at once, and stops where one came after the last checkpoint."""
        self.signals.deferring = False
        self._stop_where_agreed()

    def on_epoch_begin(self, epoch, logs=None):
        """Puts the metrics back as they were, where the epoch was resumed in its middle."""
        if self.progress.metrics:
            # Inside of it an array is the sum over all devices, outside the part of one.
            with self.whole_model.distribute_strategy.scope():
                for variable, array in zip(self.model.metrics_variables, self.progress.metrics, strict=True):
                    variable.assign(array)
            self.progress.metrics = []

    def on_train_batch_end(self, batch, logs=None):
        """Saves where it is time to, and stops where a signal asked for it."""
        steps = self.unfreezing.snapshot()["steps"]
        if not math.isfinite((logs or {}).get("loss", 0.0)):
            raise NotFinite(self.progress.epochs, steps)
        self._steps_since += self.model.steps_per_execution
        # After the last step the end of the epoch saves.
        if steps != self.params["steps"] and any(told := self._agreed()):
            self.save(self.model.metrics_variables)
            self._stop_where_agreed(told)

    def on_test_batch_end(self, batch, logs=None):
        """Stops where a signal asked for it and the validation takes too long."""
        self.signals.check(VALIDATION_PATIENCE)

    def on_epoch_end(self, epoch, logs=None):
        """Saves the state that the next epoch begins with."""
        logs, history = logs or {}, self.progress.history
        for name in {**history, **logs}:
            values = history.setdefault(name, [None] * epoch)
            values.append(float(logs[name]) if name in logs else None)
        self.progress.epochs = epoch + 1
        self.save()
        self._stop_where_agreed()

    def save(self, metrics_variables=()):
        """Writes a checkpoint of this step.

        Args:
            metrics_variables: list of `keras.Variable` to be saved in the middle of an epoch.

        Raises:
            NotFinite: a weight is not finite.
            OSError: the disk takes no more; the older checkpoints are as they were.
        """
        unfreezing, progress = self.unfreezing, self.progress
        # Of a phase that has just ended the next one's list: what that will change is written, too.
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
        self._rest()

    def _rest(self):
        self._saved_at, self._steps_since = time.monotonic(), 0

    def _agreed(self):
        """Asks all processes: a bool for each of `SIGNALS`, whether it came to any, and one whether it is time."""
        return self.agree([*(self.signals.received == number for number in SIGNALS), self._is_time()])

    def _stop_where_agreed(self, told=None):
        """Stops where all know of a signal; one that came since, to this process alone, is for the next step."""
        for number, was_sent in zip(SIGNALS, told or self._agreed(), strict=False):
            if was_sent:
                self.signals.receive(number)
                self.signals.check()

    def _is_time(self):
        seconds, steps = self.interval.seconds or math.inf, self.interval.steps or math.inf
        return self._steps_since >= steps or time.monotonic() - self._saved_at >= seconds
