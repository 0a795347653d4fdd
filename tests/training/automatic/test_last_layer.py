import keras
import numpy as np
import pytest

from tl_keras import data, evaluation, transfer
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.system.time_limit import NO_LIMIT, TimeLimit
from tl_keras.training.automatic import last_layer
from tl_keras.training.preparation import prepare


@pytest.fixture
def prepared(tiny_arguments, small_network):
    return lambda *extra: prepare(parse([*tiny_arguments, *extra]))


def measure(prepared, limit=NO_LIMIT):
    return last_layer.untrained_baseline(prepared.config, prepared.splits, prepared.model, limit)


@pytest.mark.parametrize("extra", [[], ["--model.head_blocks", "all"], ["--model.pooling", "max"]])
def test_the_features_are_those_of_the_network_without_augmentation(prepared, monkeypatch, extra):
    prepared, read = prepared(*extra), []
    monkeypatch.setattr(evaluation, "feature_baseline", lambda *arguments: read.append(arguments) or last_layer)
    with pytest.raises(AttributeError):
        measure(prepared)
    ((features, labels, test_features, test_labels, class_names, _),) = read
    network = keras.Model(prepared.model.inputs, transfer.features_before_head(prepared.model))
    for part, got, got_labels in (("train", features, labels), ("test", test_features, test_labels)):
        examples = getattr(prepared.splits, part)
        expected = network([np.asarray(data.read_images(examples.images, np.arange(len(examples))), "float32")])
        np.testing.assert_allclose(got, expected[:, -got.shape[1] :], atol=1e-4)
        np.testing.assert_array_equal(got_labels, examples.labels)
    assert class_names == prepared.splits.class_names


def test_the_training_is_the_same_with_and_without_the_baseline(prepared, tmp_path, monkeypatch):
    weights = []
    for baseline in (last_layer.untrained_baseline, lambda *arguments: None):
        one = prepared()
        baseline(one.config, one.splits, one.model, NO_LIMIT)
        weights.append([one.model.get_weights(), keras.random.uniform((2,)), np.random.random()])
    keras.tree.map_structure(np.testing.assert_array_equal, *weights)


def test_little_time_is_left_to_the_training(prepared, capsys):
    prepared = prepared()
    assert measure(prepared, TimeLimit(1e-6)) is None
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith(f"note: {evaluation.LAST_LAYER} is not measured") and "of max_time that are left" in line
    assert measure(prepared, TimeLimit(600)).name == evaluation.LAST_LAYER


def test_a_network_without_such_features_is_trained_all_the_same(prepared, monkeypatch, capsys):
    def refuse(*arguments):
        raise InputError("pool them before the head.")

    monkeypatch.setattr(transfer, "features_before_head", refuse)
    assert measure(prepared()) is None
    assert capsys.readouterr().out.endswith("is not measured beside the network: pool them before the head.\n")
