from typing import get_args

import pytest

from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, STATISTICS_ONLY, AdaptationConfig, Method
from tl_keras.errors import InputError


def test_every_method_has_weights_to_try_or_none_to_try():
    assert set(get_args(Method)) == DEFAULT_WEIGHTS.keys() | set(STATISTICS_ONLY)


def test_nothing_is_adapted_by_default():
    assert AdaptationConfig().method is None and AdaptationConfig().target is None


@pytest.mark.parametrize(
    ("given", "telling"),
    [
        ({"method": "mcc"}, "adaptation.method is given without adaptation.target"),
        ({"masked_epochs": 1}, "adaptation.masked_epochs is given without adaptation.target"),
        ({"target": "x"}, "adaptation.target is given without adaptation.method"),
        ({"method": "mcc", "target": "x", "epochs": 0}, "adaptation.epochs must be at least 1: got 0"),
        ({"masked_epochs": 0, "target": "x"}, "adaptation.masked_epochs must be at least 1: got 0"),
        ({"method": "mcc", "target": "x", "learning_rate": 0.0}, "adaptation.learning_rate must be above 0"),
        ({"method": "mcc", "target": "x", "weights": []}, "adaptation.weights must be numbers above 0"),
        ({"epochs": 3}, "adaptation.epochs has no effect without adaptation.target"),
        ({"upper_bound": True}, "adaptation.upper_bound has no effect without adaptation.target"),
        ({"method": "tent", "target": "x", "weights": [1.0]}, "adaptation.weights is not for tent"),
    ],
)
def test_what_makes_no_sense_is_refused(given, telling):
    with pytest.raises(InputError, match=telling):
        AdaptationConfig(**given)


def test_texts_of_a_target_can_be_read_without_a_method():
    assert AdaptationConfig(masked_epochs=2, target="texts.txt").method is None
