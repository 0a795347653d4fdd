import math

import pytest

from tl_keras.config import OptimizerConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weight_decay": -1.0}, "weight_decay must be 0 or more"),
        ({"weight_decay": math.inf}, "weight_decay must be 0 or more: got inf"),
        ({"clip_norm": 0.0}, "clip_norm"),
        ({"accumulation_steps": 0}, "accumulation"),
        ({"ema_momentum": 1.0}, "ema_"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        OptimizerConfig(**values)
