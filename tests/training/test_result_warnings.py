import pytest

from tl_keras.evaluation import NO_BETTER
from tl_keras.training.result_warnings import find_warnings

PHASE = {"epochs": 2, "planned_epochs": 20, "ended_by": "time"}


def test_the_cause_of_a_network_no_better_than_the_majority_is_named_if_it_is_known():
    verdict = (f"{NO_BETTER} than the majority (accuracy 0.500 against 0.500).",)
    [cause] = find_warnings({}, {}, [PHASE], verdict)
    assert "max_time ended" in cause
    [cause] = find_warnings({}, {}, [PHASE | {"ended_by": "plateau"}], verdict)
    assert cause.startswith("Something went wrong in the training, or the classes are too unequal")


def test_a_good_training_gets_no_warning():
    history = {"loss": [None, 0.5, 0.52], "val_loss": [None, 0.5, 0.9]}
    assert find_warnings({"accuracy": 0.9}, history, [PHASE | {"ended_by": "plateau"}]) == ()
    assert find_warnings({"average_precision_50": 0.4}, {}, []) == ()
    assert find_warnings({}, {"loss": [4.54, 16.36], "val_loss": [4.76, 3.13]}, []) == ()


@pytest.mark.parametrize(
    ("metrics", "history", "phases", "sentence"),
    [
        ({}, {}, [PHASE, {"epochs": 3, "ended_by": "epochs"}], "max_time ended the training after 5 of 23 planned"),
        ({}, {"loss": [0.5, 4409.0]}, [], "the training loss rose from 0.5 to 4.41e+03: the training has diverged"),
        (
            {},
            {"loss": [0.5, float("nan")], "val_loss": [0.5, float("nan")]},
            [],
            "the training loss rose from 0.5 to nan",
        ),
        ({"average_precision_50": 0.001}, {}, [], "hardly any object is found (average precision 0.001 at IoU 0.5)"),
    ],
)
def test_a_failed_training_gets_a_warning(metrics, history, phases, sentence):
    [warning] = find_warnings(metrics, history, phases)
    assert warning.startswith(f"Warning: {sentence}")
