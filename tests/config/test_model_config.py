import math

import pytest

from tl_keras.config import ModelConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_units": 0}, "model.hidden_units must be at least 1"),
        ({"head_blocks": []}, "model.head_blocks is .*expected last, all, or a list"),
        ({"head_blocks": "block5"}, "model.head_blocks is 'block5'"),
        ({"dropout": 1.0}, "model.dropout must lie from 0 to below 1: got 1.0"),
        ({"label_smoothing": math.nan}, "model.label_smoothing"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        ModelConfig(**values)
