import pytest

from tl_keras.exporting import latency


def test_functions_are_measured_in_turns(monkeypatch):
    clock, calls = [0.0], []

    def call(name, seconds):
        calls.append(name)
        clock[0] += seconds

    monkeypatch.setattr(latency.time, "perf_counter", lambda: clock[0])
    functions = {"slow": lambda: call("slow", 0.2), "fast": lambda: call("fast", 0.1)}
    measured = latency.measure_latencies(functions, rounds=3)
    assert measured == {"slow": pytest.approx(200), "fast": pytest.approx(100)}
    assert calls == ["slow", "fast"] * 4
