from types import SimpleNamespace

import pytest

from tl_keras.system.time_limit import TimeLimit
from tl_keras.training.automatic.image_size import _too_slow


@pytest.mark.parametrize(("seconds", "per_example"), [(None, 1.0), (10, None), (41, 0.1)])
def test_a_larger_size_is_tried_if_there_is_time(seconds, per_example):
    assert _too_slow(SimpleNamespace(seconds_per_example=per_example), 100, 200, 100, TimeLimit(seconds)) == ""


def test_a_larger_size_takes_time_in_proportion_to_its_pixels():
    sentence = _too_slow(SimpleNamespace(seconds_per_example=0.1), 100, 200, 100, TimeLimit(30))
    assert sentence.startswith("; 200 px and more are not tried: the features of 100 images would take about 40 s, and")
    assert sentence.endswith("30 s of max_time are left")
