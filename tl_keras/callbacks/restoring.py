"""Restores the newest intact checkpoint."""

from dataclasses import dataclass, field
from pathlib import Path

from tl_keras.callbacks.checkpoint_files import read_checkpoints
from tl_keras.callbacks.checkpoint_state import read_state
from tl_keras.callbacks.checkpoint_variables import digest_of, saved_variables
from tl_keras.errors import InputError, counted
from tl_keras.system.stored.arrays import are_alike


@dataclass
class Progress:
    """Holds the progress of a run, apart from the state of its model and its phases."""

    epochs: int = 0
    """Number of completed epochs."""
    history: dict = field(default_factory=dict)
    """Dict from metric name to the list of its values per epoch, None in epochs that do not report it."""
    metrics: list = field(default_factory=list)
    """Arrays of the metrics' variables in the middle of the next epoch; empty at its start."""


def restore_newest(folder, model, unfreezing):
    """Restores the newest intact checkpoint into a model and its phases.

    Args:
        folder: path of the checkpoints' folder; it may be missing.
        model: compiled `keras.Model`.
        unfreezing: its `ProgressiveUnfreezing`, prepared with the same phases as when the checkpoint was saved. Its
            `state["steps"]` is set to the number of completed steps of the next epoch.

    Returns:
        `Progress`, or None if there is no intact checkpoint.

    Raises:
        InputError: the weights at the start of the run were different.
    """
    for path, arrays in read_checkpoints(Path(folder)):
        if state := read_state(arrays, len(unfreezing.phases)):
            untouched = unfreezing.untouched[state["phase"]]
            variables = saved_variables(model, untouched)
            if variables.keys() <= arrays.keys() and _fit(arrays, variables):
                if str(arrays["untouched"]) != digest_of(untouched):
                    raise InputError(
                        f"The run cannot resume from {str(path)!r}: the pretrained weights differ from those at its "
                        "start; restore them, or give --run another folder."
                    )
                return _restore(arrays, state, variables, unfreezing, path)
        print(f"the checkpoint {path} is damaged or of another model and is skipped", flush=True)
    return None


def _restore(arrays, state, variables, unfreezing, path):
    for name, variable in variables.items():
        variable.assign(arrays[name])
    unfreezing.resume(state["phases"], _numbered(arrays, "best-"))
    steps = state["phases"]["steps"]
    more = f" and {counted(steps, 'step')}" if steps else ""
    done = f"epoch {state['epochs']}{more}"
    print(f"resuming after {done}, from {path}", flush=True)
    return Progress(state["epochs"], state["history"], _numbered(arrays, "metric-"))


def _numbered(arrays, prefix):
    numbers = [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]
    return [arrays[f"{prefix}{number}"] for number in sorted(filter(str.isdecimal, numbers), key=int)]


def _fit(arrays, variables):
    return are_alike([arrays[name] for name in variables], variables.values())
