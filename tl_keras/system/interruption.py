"""Stops a run gently: what a signal asks for is done after the step that is being computed."""

import os
import signal
import threading
import time

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to stop.

    Args:
        number: the signal's number.
    """

    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.exit_code = 128 + number


class StopSignals:
    """Listens to SIGINT and SIGTERM while its context is open; a second signal ends the process at once.

    Outside of the main thread, where Python hands out no signals, it listens to nothing.

    Attributes:
        received: number of the signal that came, or None.
        deferring: while True, a signal is only noted, for `check` to find; else it raises `Interrupted` at once.
    """

    def __init__(self):
        self.received = None
        self.deferring = False
        self._before = {}

    def __enter__(self):
        """Begins to listen."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_error):
        """Puts back who listened before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def receive(self, number):
        """Notes a signal, which may have come to another process of the same run."""
        self.received, self._came = number, time.monotonic()

    def check(self, patience=0.0):
        """Raises what was noted.

        Args:
            patience: seconds that may pass since the signal came before it is raised.

        Raises:
            Interrupted: a signal has come.
        """
        if self.received is not None and time.monotonic() - self._came >= patience:
            raise Interrupted(self.received)

    def _note(self, number, _frame):
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        self.receive(number)
        if not self.deferring:
            raise Interrupted(number)
        # Not by print: the signal may have come in the middle of another.
        os.write(2, b"stopping after this step; a second signal quits at once\n")
