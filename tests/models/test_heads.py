import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.heads import Head, check_class_names, check_pooling

HEAD = {"num_classes": 3, "dropout": 0.1, "hidden_units": None, "multi_label": False, "output": "probabilities"}


def build(**options):
    features = keras.Input((4,))
    return keras.Model(features, Head(**{**HEAD, **options}).add_to(features))


@pytest.mark.parametrize(
    "options, names",
    [
        ({}, ["head.dropout", "head.logits", "head.probabilities"]),
        ({"dropout": 0, "hidden_units": 2}, ["head.hidden", "head.logits", "head.probabilities"]),
        ({"output": "logits"}, ["head.dropout", "head.logits"]),
    ],
)
def test_head_has_the_requested_layers(options, names):
    assert [layer.name for layer in build(**options).layers[1:]] == names


def test_probabilities_are_softmax_or_sigmoid_of_the_logits():
    features = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    for multi_label in (False, True):
        model = build(multi_label=multi_label)
        logits = np.asarray(keras.Model(model.input, model.get_layer("head.logits").output)(features))
        expected = 1 / (1 + np.exp(-logits)) if multi_label else np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(np.asarray(model(features)), expected, atol=1e-6)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_classes": 1}, "at least 2"),
        ({"output": "probability"}, "did you mean 'probabilities'"),
        ({"dropout": -0.1}, "model.dropout is -0.1"),
        ({"hidden_units": 0}, "model.hidden_units is 0"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Head(**{**HEAD, **options})


def test_unknown_pooling_is_refused():
    check_pooling("a", ["a"])
    with pytest.raises(InputError, match="model.pooling.*a"):
        check_pooling("b", ["a"])


def test_class_names_of_another_number_are_refused():
    for class_names in (None, "ab"):
        check_class_names(class_names, 2)
    with pytest.raises(InputError, match="3 class names for 2 classes"):
        check_class_names("abc", 2)
