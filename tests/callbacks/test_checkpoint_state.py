import json

import numpy as np
import pytest

from tl_keras import InputError
from tl_keras.callbacks.checkpoint_state import MAX_METRICS, check_steps_done, read_state

PHASES = {"ends": [1], "seconds": 0.5, "best": None, "waited": 0, "rate": 1.0, "steps": 3}
COMPLETE = {"phase": 0, "phases": PHASES, "epochs": 1, "history": {"loss": [0.5], "val_loss": [None]}}
FORGED_PHASES = {
    "ends": ["x", {"1": 1}, [1.5], [-1], [10**30], [True], [1, 1, 1]],
    "seconds": ["x", None, -1, float("nan"), float("inf")],
    "best": ["x", [1], True],
    "waited": ["x", None, 0.5, -1],
    "rate": ["x", None, -1, float("inf")],
    "steps": ["x", None, -1, 1.5],
}
FORGED_HISTORIES = [
    *({"loss": values} for values in ("x", None, 5, [], [1.0, 2.0], ["x"], [{}], [True])),
    {"x" * 1_000: [1.0]},
    {str(number): [1.0] for number in range(MAX_METRICS + 1)},
]


def read(state):
    text = state if isinstance(state, str) else json.dumps(state)
    return read_state({"state": np.array(text), "untouched": np.array("")}, 2)


STATES = ["{", "[]", "1", "{}", "[" * 10_000, json.dumps({"deep": 0}).replace("0", "[" * 500 + "]" * 500)]
STATES += [COMPLETE | {key: value} for key in COMPLETE for value in ("x", None, -1, [], 1e9, 10**30)]
STATES += [COMPLETE | {"phases": PHASES | {key: value}} for key in PHASES for value in FORGED_PHASES[key]]
STATES += [COMPLETE | {"history": history} for history in FORGED_HISTORIES]


@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state)[-60:])
def test_a_forged_state_is_no_state(state):
    assert read(state) is None


def test_a_complete_state_is_read_and_those_of_older_versions_too():
    assert read(COMPLETE) == COMPLETE
    older = COMPLETE | {"phases": {"steps": 0}, "history": {"val_loss": [float("inf")]}}
    assert read(older) == older
    assert read_state({}, 1) is None


@pytest.mark.parametrize("steps", [4, 10**9, 10**299])
def test_more_steps_than_an_epoch_has_are_refused(steps):
    check_steps_done(0, 0)
    check_steps_done(3, 4)
    with pytest.raises(InputError, match="in an epoch of 4: remove `checkpoints`"):
        check_steps_done(steps, 4)
