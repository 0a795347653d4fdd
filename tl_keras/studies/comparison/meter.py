"""Measures what the training of a cell costs."""

import time

from tl_keras.studies.comparison.energy import EnergyMeter


class Meter:
    """Measures CPU seconds, elapsed seconds and energy since its creation."""

    def __init__(self):
        self._cpu, self._started, self._energy = time.process_time(), time.perf_counter(), EnergyMeter()

    def costs(self, forward=0.0):
        """Returns a dict of `cpu_seconds`, `seconds` and `joules`, fields of `Result`.

        Args:
            forward: seconds of a forward pass that other cells share, and that the method would need on its own.
        """
        return {
            "cpu_seconds": time.process_time() - self._cpu + forward,
            "seconds": time.perf_counter() - self._started + forward,
            "joules": self._energy.joules(),
        }
