"""Latency of several forms of a model, measured in turns so that a busy machine slows all of them."""

import time

import numpy as np

ROUNDS = 7
SECONDS_PER_TURN = 0.05


def measure_latencies(functions, rounds=None):
    """Measures the time of calls in turns: A B A B.

    Args:
        functions: dict from a name to a function without arguments.
        rounds: number of turns of each; None takes `ROUNDS`.

    Returns:
        Dict from the name to the median over the rounds of the mean milliseconds of a call.
    """
    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for _ in range(rounds or ROUNDS):
        for name, function in functions.items():
            times[name].append(_milliseconds(function))
    return {name: float(np.median(values)) for name, values in times.items()}


def _milliseconds(function):
    """Returns the mean time of a call over at least `SECONDS_PER_TURN`."""
    calls, elapsed, start = 0, 0, time.perf_counter()
    while elapsed < SECONDS_PER_TURN:
        function()
        calls, elapsed = calls + 1, time.perf_counter() - start
    return 1000 * elapsed / calls
