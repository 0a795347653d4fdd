from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras import probing
from tl_keras.config.parsing import parse
from tl_keras.training.automatic.label_gain import describe_label_gain, measure_label_gain
from tl_keras.training.automatic.solved_head import Examples


def make_solved(held_out=True):
    """Returns a solved head on two features that tell three classes apart, and three that do not."""
    generator, labels = np.random.default_rng(0), np.arange(240) % 3
    features = generator.normal(size=(240, 5)).astype("float32")
    features[:, 3:] += 1.5 * np.eye(3)[labels][:, :2]
    columns = np.array([3, 4])
    reader = SimpleNamespace(
        class_names=("a", "b", "c"),
        feature_set=lambda head_input: probing.FeatureSet("last", columns, np.zeros(2, int)),
    )
    examples = Examples(features, labels, probing.make_folds(labels), np.arange(240))
    return SimpleNamespace(
        reader=reader,
        examples=examples,
        head_input=None,
        held_out=SimpleNamespace(inverse_penalty=100.0) if held_out else None,
    )


def test_the_gain_is_measured_on_what_the_head_reads():
    gain = measure_label_gain(parse(["photos"]), make_solved())
    assert gain.labels == 100 and 0 <= gain.low <= gain.high < 0.1
    (sentence,) = describe_label_gain(asdict(gain))
    assert sentence.startswith("100 more labels like these would bring about +")


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
        describe_label_gain(record)


def test_without_held_out_examples_nothing_is_predicted():
    assert measure_label_gain(parse(["photos"]), make_solved(held_out=False)) is None
    assert measure_label_gain(parse(["photos", "--data.multi_label", "true"]), make_solved()) is None
    assert describe_label_gain(None) == []
