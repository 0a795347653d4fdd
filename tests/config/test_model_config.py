import math

import pytest

from tl_keras.config import ModelConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"backbone": "vgg61"}, "Unknown model.backbone 'vgg61': did you mean"),
        ({"hidden_units": 0}, "model.hidden_units must be at least 1"),
        ({"dropout": 1.0}, "model.dropout must lie from 0 to below 1: got 1.0"),
        ({"label_smoothing": math.nan}, "model.label_smoothing"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        ModelConfig(**values)


@pytest.mark.parametrize("backbone", ["vgg16", "keras_hub:some_preset"])
def test_known_backbones_and_presets_are_accepted(backbone):
    assert ModelConfig(backbone=backbone).backbone == backbone
