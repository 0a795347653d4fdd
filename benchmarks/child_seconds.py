"""CPU time of the processes that a benchmark starts."""

import os


def child_seconds():
    """Returns the CPU seconds, user and system, of all child processes that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system
