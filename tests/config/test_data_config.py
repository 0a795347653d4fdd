import math

import pytest

from tl_keras.config import DataConfig
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"path": ""}, "data.path is empty"),
        ({"image_size": 31}, "data.image_size must be at least 32: got 31"),
        ({"batch_size": 0}, "data.batch_size must be at least 1: got 0"),
        ({"examples_per_class": 0}, "data.examples_per_class must be at least 1"),
        ({"validation_fraction": 0.5}, "data.validation_fraction must lie between 0 and 0.5: got 0.5"),
        ({"test_fraction": 0.0}, "data.test_fraction must lie"),
        ({"max_decoded_gigabytes": math.nan}, "data.max_decoded_gigabytes"),
        ({"max_bad_files": 1.5}, "data.max_bad_files must lie from 0 to 1: got 1.5"),
        ({"label_separator": ","}, "data.label_separator is ',': give .* data.multi_label true"),
        ({"multi_label": True, "label_separator": ""}, "give one or more characters"),
        ({"label_column": ["a", "a"]}, "give the name of one column, or two or more"),
        ({"multi_label": True, "class_weight": "balanced"}, "class_weight balanced needs one label"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        DataConfig(**values)


def test_a_huge_image_size_is_refused():
    with pytest.raises(InputError, match="at most 4096 pixels"):
        DataConfig(image_size=1_000_000)
