from typing import get_args

import pytest

from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, STATISTICS_ONLY, AdaptationConfig, Method
from tl_keras.errors import InputError


def test_every_method_has_weights_to_try_unless_it_changes_statistics_only():
    assert set(get_args(Method)) == DEFAULT_WEIGHTS.keys() | set(STATISTICS_ONLY)


def test_there_is_no_adaptation_by_default():
    assert AdaptationConfig().method is None and AdaptationConfig().target is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "mcc"}, "adaptation.method needs adaptation.target"),
        ({"masked_epochs": 1}, "adaptation.masked_epochs needs adaptation.target"),
        ({"target": "x"}, "adaptation.target needs adaptation.method"),
        ({"method": "mcc", "target": "x", "epochs": 0}, "adaptation.epochs must be at least 1: got 0"),
        ({"masked_epochs": 0, "target": "x"}, "adaptation.masked_epochs must be at least 1: got 0"),
        ({"method": "mcc", "target": "x", "learning_rate": 0.0}, "adaptation.learning_rate must be above 0"),
        ({"method": "mcc", "target": "x", "weights": []}, "adaptation.weights must be numbers above 0"),
        ({"epochs": 3}, "adaptation.epochs has no effect without adaptation.target"),
        ({"upper_bound": True}, "adaptation.upper_bound has no effect without adaptation.target"),
        ({"method": "tent", "target": "x", "weights": [1.0]}, "adaptation.weights has no effect on method tent"),
    ],
)
def test_incompatible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        AdaptationConfig(**settings)


def test_masked_epochs_need_no_method():
    assert AdaptationConfig(masked_epochs=2, target="texts.txt").method is None
