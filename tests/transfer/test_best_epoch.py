import math

import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.phases import Phase, Plateau
from tl_keras.transfer.best_epoch import assign_best, monitor_mode, note_epoch

PHASE = Phase("head", until=Plateau("val_loss", min_delta=0.1))


@pytest.mark.parametrize(
    ("value", "is_best", "state"),
    [
        (0.8, True, {"best": 0.8, "waited": 0}),
        (0.95, False, {"best": 1.0, "waited": 3}),
        (math.nan, False, {"best": 1.0, "waited": 3}),
    ],
)
def test_an_epoch_is_the_best_or_one_more_to_wait(value, is_best, state):
    before = {"best": 1.0, "waited": 2}
    assert note_epoch(PHASE, {"val_loss": value}, before) is is_best
    assert before == state


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (Plateau("val_accuracy"), "min"),
        (Plateau("val_accuracy", mode="max"), "max"),
        (Plateau("val_f1"), "max"),
        (Plateau("val_speed", mode="min"), "min"),
        (None, "min"),
    ],
)
def test_the_direction_is_given_or_that_of_the_metric_or_of_its_name(until, expected):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[keras.metrics.MeanAbsoluteError(name="accuracy")])
    assert monitor_mode(Phase("head", until=until), model) == expected


def test_a_metric_of_unknown_direction_is_refused():
    phase = Phase("head", until=Plateau("val_speed"))
    with pytest.raises(InputError, match="neither its class nor its name tells .* give its `until` a mode, min or max"):
        monitor_mode(phase, keras.Sequential([keras.layers.Dense(1)]))


def test_higher_is_better_in_the_other_direction():
    state = {"best": 1.0, "waited": 0}
    assert note_epoch(PHASE, {"val_loss": 1.2}, state, "max") is True
    assert state == {"best": 1.2, "waited": 0}


def test_a_metric_that_is_not_reported_is_refused():
    with pytest.raises(InputError, match="monitors 'val_loss', which fit does not report: it reports loss, accuracy"):
        note_epoch(PHASE, {"loss": 1.0, "accuracy": 0.5}, {"best": None, "waited": 0})


def test_the_best_weights_are_assigned():
    variable = keras.Variable(np.zeros(2, "float32"))
    assign_best(PHASE, [variable], [np.ones(2, "float32")])
    np.testing.assert_array_equal(variable, 1.0)
    with pytest.raises(InputError, match="no best weights, because its val_loss was never a number"):
        assign_best(PHASE, [variable], [])
