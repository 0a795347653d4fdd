import time

from tl_keras.system.time_limit import TimeLimit


def test_the_time_left_falls_to_zero(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 120.0)
    limit = TimeLimit(60, 100.0)
    assert (limit.left, limit.passed) == (40.0, 20.0)
    assert TimeLimit(10, 100.0).left == 0


def test_without_a_limit_only_the_time_that_passed_is_known():
    limit = TimeLimit()
    assert limit.left is None and limit.passed >= 0
