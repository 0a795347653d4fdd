"""Goes on where the newest intact checkpoint stands."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from tl_keras.callbacks.checkpoint_files import read_checkpoints
from tl_keras.callbacks.checkpoint_variables import digest_of, saved_variables
from tl_keras.errors import InputError


@dataclass
class Progress:
    """How far a run has come, besides what its model and its phases hold."""

    epochs: int = 0
    """How many epochs are done."""
    history: dict = field(default_factory=dict)
    """From metric name to the list of its values so far, None in phases that do not report it."""
    metrics: list = field(default_factory=list)
    """The arrays of the metrics in the middle of the next epoch; empty at its beginning."""


def restore_newest(folder, model, unfreezing):
    """Puts the newest intact checkpoint back into a model and its phases.

    Args:
        folder: path of the checkpoints' folder; it may be absent.
        model: compiled `keras.Model`.
        unfreezing: its `ProgressiveUnfreezing`, prepared as when the checkpoint was saved; its `state["steps"]` tells
            how many steps of the next epoch are done.

    Returns:
        `Progress`, or None where there is no checkpoint.

    Raises:
        InputError: the weights that the run began with are not those any more.
    """
    for path, arrays in read_checkpoints(Path(folder)):
        if state := _state(arrays, len(unfreezing.phases)):
            untouched = unfreezing.untouched[state["phase"]]
            variables = saved_variables(model, untouched)
            if variables.keys() <= arrays.keys() and _fit(arrays, variables):
                if str(arrays["untouched"]) != digest_of(untouched):
                    raise InputError(
                        f"The run cannot go on from {str(path)!r}: the pretrained weights are other ones than when it "
                        "began; restore them, or give --run another folder."
                    )
                return _restore(arrays, state, variables, unfreezing, path)
        print(f"the checkpoint {path} is damaged or of another model and is passed over", flush=True)
    return None


def _state(arrays, num_phases):
    """Returns what a checkpoint tells besides weights, or None where it is damaged or of other phases."""
    if not {"state", "untouched"} <= arrays.keys():
        return None
    state = json.loads(str(arrays["state"]))
    return state if state.get("phase", num_phases) < num_phases else None


def _restore(arrays, state, variables, unfreezing, path):
    for name, variable in variables.items():
        variable.assign(arrays[name])
    unfreezing.resume(state["phases"], _numbered(arrays, "best-"))
    steps = state["phases"]["steps"]
    done = f"epoch {state['epochs']}{f' and {steps} steps' if steps else ''}"
    print(f"going on after {done}, from {path}", flush=True)
    return Progress(state["epochs"], state["history"], _numbered(arrays, "metric-"))


def _numbered(arrays, prefix):
    found = sorted((name for name in arrays if name.startswith(prefix)), key=lambda name: int(name[len(prefix) :]))
    return [arrays[name] for name in found]


def _fit(arrays, variables):
    return all(arrays[name].shape == tuple(variable.shape) for name, variable in variables.items())
