from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras import probing
from tl_keras.config.parsing import parse
from tl_keras.training.automatic.label_gain import describe_label_gain, measure_label_gain
from tl_keras.training.automatic.solved_head import Examples
from tl_keras.training.automatic.tuning import SOLVED, TUNED

HELD_OUT = "the examples that the label curve holds out"


def make_tuning(count=240, kept=SOLVED, shift=1.5):
    """Returns the end of a run whose solved head has two features that tell classes apart, and three that do not."""
    generator, labels = np.random.default_rng(0), np.arange(count) % 3
    features = generator.normal(size=(count, 5)).astype("float32")
    features[:, 3:] += shift * np.eye(3)[labels][:, :2]
    columns = np.array([3, 4])
    reader = SimpleNamespace(
        class_names=("a", "b", "c"),
        feature_set=lambda head_input: probing.FeatureSet("last", columns, np.zeros(2, int)),
    )
    examples = Examples(features, labels, probing.make_folds(labels), np.arange(count))
    solved = SimpleNamespace(
        reader=reader, examples=examples, head_input=None, held_out=SimpleNamespace(inverse_penalty=100.0)
    )
    return SimpleNamespace(solved=solved, kept=kept)


def test_the_gain_is_measured_on_what_the_head_reads():
    gain = measure_label_gain(parse(["photos"]), make_tuning())["label_gain"]
    assert gain["labels"] == 100 and 0 <= gain["low"] <= gain["high"] < 0.1
    (sentence,) = describe_label_gain({"label_gain": gain})
    assert sentence.startswith("100 more labels like these would bring about +")
    assert describe_label_gain({"held_out": {"label_gain": gain}}) == [sentence]


def test_a_flat_curve_promises_nothing():
    (sentence,) = describe_label_gain({"label_gain": {"labels": 100, "low": 0.0, "high": 0.0004}})
    assert sentence == (
        "100 more labels like these would bring nothing measurable, less than 0.1 points of accuracy (90 % range of a "
        "label curve)"
    )
    (sentence,) = describe_label_gain({"label_gain": {"labels": 100, "low": 0.0, "high": 0.001}})
    assert "about +0.0 to +0.1 points" in sentence


@pytest.mark.parametrize(
    "record",
    [
        {"labels": 100, "low": 0.2, "high": 0.1},
        {"labels": -3, "low": 0, "high": 0.1},
        {"labels": 100, "low": float("nan"), "high": 0.1},
    ],
)
def test_a_record_out_of_range_is_refused(record):
    with pytest.raises(ValueError, match="out of range"):
        describe_label_gain({"label_gain": record})


@pytest.mark.parametrize(
    ("tuning", "flags", "reason"),
    [
        ({"count": 15}, [], "that takes about 10 labels of each class, and here are 15 of 3 classes"),
        ({"count": 2100}, [], "from 2,000 labels on, 100 more change little"),
        ({"kept": TUNED}, [], "the network was tuned, and the label curve is that of solved heads"),
        ({}, ["--data.multi_label", "true"], "the label curve is for one label an example"),
        ({"shift": 100}, [], f"none of {HELD_OUT} is mistaken, and it takes 3"),
        ({"count": 60, "shift": 5}, [], f"1 of {HELD_OUT} is mistaken, and it takes 3"),
        ({"count": 60, "shift": 4}, [], f"2 of {HELD_OUT} are mistaken, and it takes 3"),
    ],
)
def test_the_reason_for_no_prediction_is_stated(tuning, flags, reason):
    record = measure_label_gain(parse(["photos", *flags]), make_tuning(**tuning))
    assert describe_label_gain(record) == [f"What more labels would bring is not predicted: {reason}"]


def test_runs_without_a_solved_head_say_nothing():
    assert describe_label_gain({}) == describe_label_gain({"held_out": {}}) == []
