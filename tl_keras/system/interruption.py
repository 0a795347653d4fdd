"""Graceful stop of a run: a signal takes effect after the current training step."""

import os
import signal
import threading
import time

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Reports that a signal asked the run to stop.

    Args:
        number: number of the signal.

    Attributes:
        exit_code: exit code of the process, 128 plus the number of the signal.
    """

    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


class StopSignals:
    """Handles SIGINT and SIGTERM while its context is open; a second signal ends the process at once.

    Does nothing outside the main thread, where Python delivers no signals.

    Attributes:
        received: number of the signal that arrived, or None.
        deferring: if True, a signal is only recorded until `check` is called; if False, it raises `Interrupted` at
            once.
    """

    def __init__(self):
        self.received = None
        self.deferring = False
        self._previous_handlers = {}

    def __enter__(self):
        """Installs the signal handlers."""
        if threading.current_thread() is threading.main_thread():
            self._previous_handlers = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_error):
        """Restores the previous signal handlers."""
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def receive(self, number):
        """Records a signal, which may have been sent to another process of the same run."""
        self.received, self._received_at = number, time.monotonic()

    def check(self, min_seconds=0.0):
        """Raises the recorded signal, if there is one.

        Args:
            min_seconds: seconds that must have passed since the signal arrived.

        Raises:
            Interrupted: a signal arrived at least `min_seconds` ago.
        """
        if self.received is not None and time.monotonic() - self._received_at >= min_seconds:
            raise Interrupted(self.received)

    def _handle(self, number, _frame):
        for stop_signal in SIGNALS:
            signal.signal(stop_signal, signal.SIG_DFL)
        self.receive(number)
        if not self.deferring:
            raise Interrupted(number)
        # print is not reentrant, and the signal may have arrived inside of it.
        os.write(2, b"stopping after this step; a second signal quits at once\n")
