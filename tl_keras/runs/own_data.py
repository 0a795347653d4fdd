"""The data that a finished run was trained on, loaded again."""

from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder


def load_own_split(run, split):
    """Loads a split of the data that a run was trained on.

    Args:
        run: `TrainedRun`.
        split: "train", "validation" or "test".

    Returns:
        That part of what the task's `load_data` returns, as the model of the run takes it.

    Raises:
        InputError: the split is unknown or empty, or the data have changed or cannot be used.
    """
    if split not in SPLITS:
        raise InputError(
            f"--split {split}: a run has {', '.join(SPLITS)}; give one of them, or other data with --data."
        )
    part = getattr(load_own_splits(run), split)
    if not len(part):
        raise InputError(f"--split {split}: the run has no {split} examples; give another split.")
    return part


def load_own_splits(run):
    """Loads the data that a run was trained on.

    Args:
        run: `TrainedRun`.

    Returns:
        What the task's `load_data` returns, as the model of the run takes it.

    Raises:
        InputError: the data have changed or cannot be used.
    """
    splits = run.task.load_data(run.config)
    folder = RunFolder(run.folder)
    # The target of an adapted run is not needed, and may no longer exist.
    target = {name: recorded for name, recorded in folder.read_json("data.json").items() if name == "target"}
    folder.require_same_data(run.task.fingerprint(splits) | target)
    return run.task.resized_for(run, splits)
