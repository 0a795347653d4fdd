import time

from tl_keras.system.time_limit import TimeLimit


def test_the_time_left_falls_to_zero():
    limit = TimeLimit(60, time.monotonic() - 20)
    assert 39 < limit.left <= 40 and 20 <= limit.passed < 21
    assert TimeLimit(10, time.monotonic() - 20).left == 0


def test_without_a_limit_only_the_time_that_passed_is_known():
    limit = TimeLimit()
    assert limit.left is None and 0 <= limit.passed < 1
