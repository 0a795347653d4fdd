from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tl_keras.config import DataConfig, RunConfig
from tl_keras.probing.linear_head import to_probabilities
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.solved_head import HeldOutPredictions
from tl_keras.training.calibration import Calibration, calibrate, measure_confidence

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(0, 1, (400, 3))
TRUE_LOGITS = FEATURES @ np.array([[2.0, -1, 0], [0, 2, -1], [-1, 0, 2]])
LABELS = np.array([RANDOM.choice(3, p=row) for row in to_probabilities(TRUE_LOGITS, False)])


def make_model(scale):
    """Returns a classifier that multiplies the true logits, and its predictions of the examples."""
    inputs = keras.Input((3,))
    outputs = keras.layers.Activation("softmax")(keras.layers.Dense(3, name="head.logits")(inputs))
    model = keras.Model(inputs, outputs)
    kernel, bias = model.get_layer("head.logits").get_weights()
    model.get_layer("head.logits").set_weights([scale * np.linalg.lstsq(FEATURES, TRUE_LOGITS)[0], bias])
    return model, model.predict(FEATURES, verbose=0)


def tuning(probabilities):
    return SimpleNamespace(held_out=HeldOutPredictions(LABELS, probabilities))


def test_an_overconfident_model_gets_a_temperature_and_predicts_with_it():
    model, before = make_model(3)
    found = calibrate(RunConfig(), model, None, tuning(before))
    assert found.applied == pytest.approx(3, rel=0.15)
    np.testing.assert_allclose(model.predict(FEATURES, verbose=0), found.held_out.probabilities, atol=1e-4)
    np.testing.assert_array_equal(before.argmax(axis=1), found.held_out.probabilities.argmax(axis=1))


def test_a_calibrated_model_is_left_as_it_is():
    model, before = make_model(1)
    found = calibrate(RunConfig(), model, None, tuning(before))
    assert found.applied == 1.0 and found.temperature.value != 1.0
    np.testing.assert_array_equal(model.predict(FEATURES, verbose=0), before)


def test_other_recipes_hold_the_validation_examples_out(monkeypatch):
    model, before = make_model(3)
    task = TASKS["image_classification"]
    monkeypatch.setattr(task, "predict", lambda model, part, batch_size: before, raising=False)
    validation = type("Part", (), {"__len__": lambda self: len(LABELS), "labels": LABELS})()
    assert calibrate(RunConfig(), model, SimpleNamespace(validation=validation)).applied > 2


def test_without_held_out_examples_nothing_is_fitted():
    found = calibrate(RunConfig(), None, None, SimpleNamespace(held_out=None))
    assert found.applied == 1.0 and found.held_out is None
    assert calibrate(RunConfig(), None, SimpleNamespace(validation=[])).temperature is None
    assert calibrate(RunConfig(task="object_detection"), None, None) is None


def test_the_confidence_is_chosen_on_held_out_examples_and_tested_on_others():
    _, before = make_model(1)
    found = calibrate(RunConfig(), None, None, tuning(before))
    wrong = (before.argmax(axis=1) != LABELS).mean()
    record = measure_confidence(RunConfig(), found, LABELS[:100], before[:100])
    assert (record["chosen_on"], record["chosen_from"], record["examples"]) == ("held-out", 400, 100)
    assert record["fit"].keys() >= {"min_examples", "min_errors"}
    assert record["chosen_wrong"] == round(400 * wrong)
    kept = before.max(axis=1) >= record["min_confidence"]
    assert (before.argmax(axis=1) != LABELS)[kept].mean() <= wrong / 2
    assert record["kept"] == kept[:100].sum() and record["right"] <= record["kept"]


def test_without_held_out_examples_the_test_examples_choose_the_confidence():
    _, before = make_model(1)
    record = measure_confidence(RunConfig(), Calibration(), LABELS, before)
    assert record["chosen_on"] == "test" and "fit" not in record and record["temperature"] == 1.0
    several = RunConfig(data=DataConfig(path="x", multi_label=True))
    assert measure_confidence(several, Calibration(), LABELS, before) == {"temperature": 1.0}
