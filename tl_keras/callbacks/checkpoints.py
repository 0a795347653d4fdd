"""Checkpoints: where an interrupted run goes on."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from tl_keras.atomic_files import atomic_path


class CheckpointEachEpoch(keras.callbacks.Callback):
    """Saves a run at the end of every epoch, the newest two kept.

    A checkpoint holds every variable of the model (seed generators included) and of the optimizer, and the history. It
    is written whole or not at all, and each array carries a checksum.

    Args:
        folder: path of the checkpoints' folder.
        history: dict from metric name to the list of its values so far; it grows with each epoch.
        whole_model: the model to save, where `fit` trains only a suffix of it. None: the model that is fitted.
    """

    def __init__(self, folder, history, whole_model=None):
        super().__init__()
        self.whole_model = whole_model
        self.folder = Path(folder)
        self.history = history

    def on_epoch_end(self, epoch, logs=None):
        """Saves the state that the next epoch begins with."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.folder.mkdir(parents=True, exist_ok=True)
        state = json.dumps({"epochs": epoch + 1, "history": self.history})
        with atomic_path(self.folder / f"epoch-{epoch + 1:05d}.npz") as temporary, open(temporary, "wb") as file:
            np.savez(file, state=np.array(state), **_arrays(self.whole_model or self.model))
        for old in sorted(self.folder.glob("epoch-*.npz"))[:-2]:
            old.unlink()


def restore_newest(folder, model):
    """Puts the newest intact checkpoint back into a model.

    Args:
        folder: path of the checkpoints' folder; it may be absent.
        model: compiled `keras.Model` whose optimizer is built over the same variables as when it was saved.

    Returns:
        Tuple `(epochs, history)`: the number of epochs done and the dict of their metrics; without checkpoint
        `(0, {})`.
    """
    variables = dict(_named_variables(model))
    for path in sorted(Path(folder).glob("epoch-*.npz"), reverse=True):
        arrays = _read(path)
        if arrays.keys() == {*variables, "state"} and _fit(arrays, variables):
            for name, variable in variables.items():
                variable.assign(arrays[name])
            state = json.loads(str(arrays["state"]))
            print(f"going on after epoch {state['epochs']}, from {path}", flush=True)
            return state["epochs"], state["history"]
        print(f"the checkpoint {path} is damaged or of another model and is passed over", flush=True)
    return 0, {}


def _fit(arrays, variables):
    return all(arrays[name].shape == tuple(variable.shape) for name, variable in variables.items())


def _read(path):
    """Reads all arrays at once, which verifies their checksums; of a damaged file it gives fewer or none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile):
        return {}


def _named_variables(model):
    yield from ((f"model-{number}", variable) for number, variable in enumerate(_model_variables(model)))
    yield from ((f"optimizer-{number}", variable) for number, variable in enumerate(model.optimizer.variables))


def _model_variables(model):
    """The variables of all layers; `model.variables` would add the metrics, which each epoch begins anew."""
    return [variable for layer in model.layers for variable in layer.variables]


def _arrays(model):
    return {name: variable.numpy() for name, variable in _named_variables(model)}
