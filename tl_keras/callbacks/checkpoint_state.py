"""The state in a checkpoint, checked before a run resumes from it: whoever changes one can also rewrite its digest."""

import math

from tl_keras.errors import InputError, quoted
from tl_keras.system.json_files import check_depth, parse_json

MAX_EPOCHS, MAX_METRICS = 10**6, 1_000
"""Maximum figures of a state; lists are made as long as these."""
MAX_NAME_CHARACTERS = 200


def read_state(arrays, num_phases):
    """Reads the state in a checkpoint.

    Args:
        arrays: dict from name to array of the checkpoint; it may be empty.
        num_phases: number of phases of the run.

    Returns:
        Dict of "phase", "phases", "epochs" and "history"; None if it is damaged or belongs to other phases.
    """
    if not {"state", "untouched"} <= arrays.keys():
        return None
    try:
        state = parse_json(str(arrays["state"]))
        check_depth(state)
    except (ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) and _is_complete(state, num_phases) else None


def check_steps_done(steps_done, steps):
    """Refuses a checkpoint that would skip more batches than an epoch has, which are repeated without end.

    Args:
        steps_done: steps of the epoch that the checkpoint counts.
        steps: steps of an epoch.

    Raises:
        InputError: these are too many.
    """
    if steps_done and steps_done >= steps:
        raise InputError(
            f"The checkpoint that the run resumes from counts {quoted(steps_done)} steps in an epoch of {steps}: "
            "remove `checkpoints` from the run folder, and the training starts again."
        )


def _is_complete(state, num_phases):
    phases, phase, epochs = state.get("phases"), state.get("phase"), state.get("epochs")
    if not _is_count(phase, num_phases - 1) or not _is_count(epochs, MAX_EPOCHS):
        return False
    return _are_phases(phases, num_phases) and _is_history(state.get("history"), epochs)


def _are_phases(phases, num_phases):
    """Checks the state of `ProgressiveUnfreezing`; older checkpoints lack some of it."""
    if not isinstance(phases, dict) or not _is_count(phases.get("steps"), math.inf):
        return False
    ends, best = phases.get("ends", []), phases.get("best")
    if not isinstance(ends, list) or len(ends) > num_phases or not all(_is_count(end, MAX_EPOCHS) for end in ends):
        return False
    numbers = phases.get("seconds", 0.0), phases.get("rate", 1.0)
    are_numbers = all(_is_number(number) and 0 <= number < math.inf for number in numbers)
    return are_numbers and (best is None or _is_number(best)) and _is_count(phases.get("waited", 0), MAX_EPOCHS)


def _is_history(history, epochs):
    if not isinstance(history, dict) or len(history) > MAX_METRICS or any(map(_is_long, history)):
        return False
    # An epoch need not report every metric.
    return all(
        isinstance(values, list) and len(values) == epochs and all(one is None or _is_number(one) for one in values)
        for values in history.values()
    )


def _is_long(name):
    return len(name) > MAX_NAME_CHARACTERS


def _is_count(value, largest):
    return type(value) is int and 0 <= value <= largest


def _is_number(value):
    return type(value) in (int, float)
