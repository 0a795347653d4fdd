"""The state of the phases in Keras's own weight files, from which `keras.callbacks.BackupAndRestore` resumes."""

import json

import keras
import numpy as np

ATTRIBUTE = "_phase_backup"


class PhaseBackup(keras.losses.Loss):
    """Saves and restores the state of a `ProgressiveUnfreezing` with the weights of its model.

    Keras saves the objects of its own classes that a model has as attributes. A loss that is not compiled is one of
    them, and unlike a layer or a metric it is not tracked as part of the model.

    Args:
        unfreezing: `ProgressiveUnfreezing`.

    Attributes:
        epochs: number of epochs whose end the callback has seen.
        logs: dict of the latest metrics.
        loaded: True if weights were loaded from a file.
        restored: True if the file had a state.
    """

    def __init__(self, unfreezing):
        super().__init__(name="phase_backup")
        self._unfreezing = unfreezing
        self.epochs, self.logs, self.loaded, self.restored = 0, {}, False, False

    def attach(self, model):
        """Makes the state part of the weight files of a model."""
        setattr(model, ATTRIBUTE, self)

    def detach(self, model):
        """Removes the state from the weight files of a model."""
        delattr(model, ATTRIBUTE)

    def missed_logs(self, epoch):
        """Returns the metrics of an epoch whose end was backed up before the callback saw it, or else None.

        Args:
            epoch: epoch at which `fit` resumes.
        """
        return self.logs if self.restored and self.epochs == epoch - 1 else None

    def save_own_variables(self, store):
        """Writes the state and the best weights; called by Keras."""
        record = {"state": self._unfreezing.state, "epochs": self.epochs, "logs": self._numbers()}
        store["record"] = np.frombuffer(json.dumps(record).encode(), "uint8")
        for number, array in enumerate(self._unfreezing.best_weights):
            store[f"best-{number}"] = array

    def _numbers(self):
        return {name: float(value) for name, value in self.logs.items() if np.ndim(value) == 0}

    def load_own_variables(self, store):
        """Reads what `save_own_variables` wrote, or nothing from a file without it; called by Keras."""
        self.loaded, keys = True, set(store.keys())
        if "record" not in keys:
            return
        record = json.loads(np.asarray(store["record"]).tobytes())
        best = [np.asarray(store[f"best-{number}"]) for number in range(len(keys) - 1)]
        self._unfreezing.resume(record["state"], best)
        self.epochs, self.logs, self.restored = record["epochs"], record["logs"], True
