"""Checkpoints: where an interrupted run goes on."""

import hashlib
import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from tl_keras.atomic_files import atomic_path
from tl_keras.errors import InputError
from tl_keras.transfer.audit import bytes_of
from tl_keras.transfer.phase_optimizer import innermost_optimizer
from tl_keras.transfer.staged_adamw import StagedAdamW


class CheckpointEachEpoch(keras.callbacks.Callback):
    """Saves a run at the end of every epoch, the newest two kept.

    A checkpoint holds every variable that a phase may have changed so far (seed generators included), those of the
    optimizer, the history and what the phases have decided; of what is still untouched it holds a hash. It
    is written whole or not at all, and each array carries a checksum. Comes after `ProgressiveUnfreezing` in the list
    of callbacks.

    Args:
        folder: path of the checkpoints' folder.
        history: dict from metric name to the list of its values so far, None in phases that do not report it; it grows
            with each epoch.
        unfreezing: the `ProgressiveUnfreezing` of the same `fit`, prepared.
        model: the model to save, of which `fit` may train only a suffix.
    """

    def __init__(self, folder, history, unfreezing, model):
        super().__init__()
        self.folder = Path(folder)
        self.history = history
        self.unfreezing = unfreezing
        self._whole_model = model
        self._digests = {}

    def on_epoch_end(self, epoch, logs=None):
        """Saves the state that the next epoch begins with."""
        logs = logs or {}
        for name in {**self.history, **logs}:
            values = self.history.setdefault(name, [None] * epoch)
            values.append(float(logs[name]) if name in logs else None)
        self.folder.mkdir(parents=True, exist_ok=True)
        unfreezing = self.unfreezing
        # Of a phase that has just ended the next one's list: what that will change is written, too.
        phase = min(len(unfreezing.state["ends"]), len(unfreezing.phases) - 1)
        state = {"epochs": epoch + 1, "history": self.history, "phases": unfreezing.state, "phase": phase}
        variables = _variables(self._whole_model, unfreezing.untouched[phase])
        arrays = {name: variable.numpy() for name, variable in variables.items()}
        arrays |= {f"best-{number}": array for number, array in enumerate(unfreezing.best_weights)}
        if phase not in self._digests:
            self._digests[phase] = _digest(unfreezing.untouched[phase])
        arrays |= {"state": np.array(json.dumps(state)), "untouched": np.array(self._digests[phase])}
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
    for path in sorted(Path(folder).glob("epoch-*.npz"), reverse=True):
        arrays = _read(path)
        if state := _state(arrays, len(unfreezing.phases)):
            untouched = unfreezing.untouched[state["phase"]]
            variables = _variables(model, untouched)
            if variables.keys() <= arrays.keys() and _fit(arrays, variables):
                if str(arrays["untouched"]) != _digest(untouched):
                    raise InputError(
                        f"The run cannot go on from {str(path)!r}: the pretrained weights are other ones than when it "
                        "began; restore them, or give --run another folder."
                    )
                return _restore(arrays, state, variables, unfreezing, path)
        print(f"the checkpoint {path} is damaged or of another model and is passed over", flush=True)
    return 0, {}


def _state(arrays, num_phases):
    """Returns what a checkpoint tells besides weights, or None where it is damaged or of other phases."""
    if not {"state", "untouched"} <= arrays.keys():
        return None
    state = json.loads(str(arrays["state"]))
    return state if state.get("phase", num_phases) < num_phases else None


def _restore(arrays, state, variables, unfreezing, path):
    for name, variable in variables.items():
        variable.assign(arrays[name])
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


def _variables(model, untouched):
    """The variables of all layers that may have changed, and the optimizer's; the metrics begin anew in each epoch."""
    optimizer, still = innermost_optimizer(model.optimizer), set(map(id, untouched))
    if isinstance(optimizer, StagedAdamW):
        moments = zip(optimizer._trainable_variables, optimizer._momentums, optimizer._velocities, strict=True)
        still |= {id(moment) for variable, *both in moments if id(variable) in still for moment in both}
    named = {f"model-{number}": v for number, v in enumerate(v for layer in model.layers for v in layer.variables)}
    named |= {f"optimizer-{number}": variable for number, variable in enumerate(model.optimizer.variables)}
    return {name: variable for name, variable in named.items() if id(variable) not in still}


def _digest(variables):
    digest = hashlib.sha256()
    for variable in variables:
        digest.update(bytes_of(variable))
    return digest.hexdigest()
