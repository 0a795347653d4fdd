"""Checkpoints: where an interrupted run goes on."""

import hashlib
import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from tl_keras.atomic_files import atomic_path
from tl_keras.errors import InputError


class CheckpointEachEpoch(keras.callbacks.Callback):
    """Saves a run at the end of every epoch, the newest two kept.

    A checkpoint holds every variable that may change in any phase (seed generators included), those of the optimizer,
    the history and what the phases have decided; of what never changes it holds a hash. It is written whole or not at
    all, and each array carries a checksum. Comes after `ProgressiveUnfreezing` in the list of callbacks.

    Args:
        folder: path of the checkpoints' folder.
        history: dict from metric name to the list of its values so far; it grows with each epoch.
        unfreezing: the `ProgressiveUnfreezing` of the same `fit`, prepared.
        model: the model to save, of which `fit` may train only a suffix.
    """

    def __init__(self, folder, history, unfreezing, model):
        super().__init__()
        self.folder = Path(folder)
        self.history = history
        self.unfreezing = unfreezing
        self._whole_model = model
        self._constants = _digest(unfreezing.constants)

    def on_epoch_end(self, epoch, logs=None):
        """Saves the state that the next epoch begins with."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {"epochs": epoch + 1, "history": self.history, "phases": self.unfreezing.state}
        arrays = {name: variable.numpy() for name, variable in _variables(self._whole_model, self.unfreezing).items()}
        arrays |= {f"best-{number}": array for number, array in enumerate(self.unfreezing.best_weights)}
        arrays |= {"state": np.array(json.dumps(state)), "constants": np.array(self._constants)}
        with atomic_path(self.folder / f"epoch-{epoch + 1:05d}.npz") as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)
        for old in sorted(self.folder.glob("epoch-*.npz"))[:-2]:
            old.unlink()


def restore_newest(folder, model, unfreezing):
    """Puts the newest intact checkpoint back into a model and its phases.

    Args:
        folder: path of the checkpoints' folder; it may be absent.
        model: compiled `keras.Model`.
        unfreezing: its `ProgressiveUnfreezing`, prepared as when the checkpoint was saved.

    Returns:
        Tuple `(epochs, history)`: the number of epochs done and the dict of their metrics; without checkpoint
        `(0, {})`.

    Raises:
        InputError: the weights that the run began with are not those any more.
    """
    variables = _variables(model, unfreezing)
    for path in sorted(Path(folder).glob("epoch-*.npz"), reverse=True):
        arrays = _read(path)
        if variables.keys() | {"state", "constants"} <= arrays.keys() and _fit(arrays, variables):
            if str(arrays["constants"]) != _digest(unfreezing.constants):
                raise InputError(
                    f"The run cannot go on from {str(path)!r}: the pretrained weights are other ones than when it "
                    "began; restore them, or give --run another folder."
                )
            return _restore(arrays, variables, unfreezing, path)
        print(f"the checkpoint {path} is damaged or of another model and is passed over", flush=True)
    return 0, {}


def _restore(arrays, variables, unfreezing, path):
    for name, variable in variables.items():
        variable.assign(arrays[name])
    state = json.loads(str(arrays["state"]))
    best = sorted((name for name in arrays if name.startswith("best-")), key=lambda name: int(name[5:]))
    unfreezing.resume(state["phases"], [arrays[name] for name in best])
    print(f"going on after epoch {state['epochs']}, from {path}", flush=True)
    return state["epochs"], state["history"]


def _fit(arrays, variables):
    return all(arrays[name].shape == tuple(variable.shape) for name, variable in variables.items())


def _read(path):
    """Reads all arrays at once, which verifies their checksums; of a damaged file it gives fewer or none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile):
        return {}


def _variables(model, unfreezing):
    """The variables of all layers that may change, and the optimizer's; the metrics begin anew in each epoch."""
    constants = set(map(id, unfreezing.constants))
    variables = [v for layer in model.layers for v in layer.variables if id(v) not in constants]
    named = {f"model-{number}": variable for number, variable in enumerate(variables)}
    return named | {f"optimizer-{number}": variable for number, variable in enumerate(model.optimizer.variables)}


def _digest(variables):
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()
