import threading
import time

import pytest

from tl_keras.system.budget import Budget, OverBudget


def test_objects_are_counted_across_parts():
    budget = Budget(max_objects=10)
    budget.visit(4)
    budget.visit(6)
    with pytest.raises(OverBudget, match="more than 10 objects"):
        budget.visit()


def test_bytes_are_counted_before_they_are_read():
    budget = Budget(max_bytes=10)
    budget.read(10)
    with pytest.raises(OverBudget, match="more than 10 bytes"):
        budget.read(1)


def test_time_is_limited_at_each_object():
    budget = Budget(max_seconds=0.01)
    started = time.process_time()
    with pytest.raises(OverBudget, match=r"more than 0\.01 seconds of processor time"):
        while time.process_time() < started + 5:
            budget.visit(0)


def test_a_function_runs_in_another_thread_and_returns_its_result():
    assert Budget().run(lambda *numbers: (sum(numbers), threading.get_ident()), 1, 2)[0] == 3
    assert Budget().run(threading.get_ident) != threading.get_ident()


def test_errors_of_a_function_are_raised():
    with pytest.raises(ZeroDivisionError):
        Budget().run(lambda: 1 / 0)


def test_waiting_takes_no_processor_time():
    Budget(max_seconds=0.05).run(time.sleep, 0.2)


def busy():
    while True:
        try:
            for number in range(1000):
                str(number)
        except Exception:
            continue


def test_a_function_that_takes_too_long_is_interrupted_though_it_catches_errors():
    threads = threading.active_count()
    with pytest.raises(OverBudget, match="seconds of processor time"):
        Budget(max_seconds=0.1).run(busy)
    assert threading.active_count() == threads
