"""Limits on what reading the files of others may take: objects, bytes and seconds."""

import ctypes
import functools
import threading
import time

from tl_keras.errors import counted

MAX_OBJECTS = 100_000
"""Maximum number of objects; the largest models and runs have a third of this."""
MAX_BYTES = 32 * 2**30
"""Maximum number of bytes, several times the size of the largest run; a minute's work."""
MAX_SECONDS = 60.0
"""Maximum processor time, ten times what the largest models take."""
POLL_SECONDS = 0.05


class OverBudget(ValueError):
    """Reports that a file takes more to read than any file of its kind should."""


class Budget:
    """Counts what reading a file takes, across all its parts, and stops when it is more than the limits.

    Args:
        max_objects: maximum number of objects that are looked at, such as layers, arrays, names and files.
        max_bytes: maximum number of bytes that are read.
        max_seconds: maximum processor time of the thread that reads, and that of each call of `run`.

    Attributes:
        objects: number of objects so far.
        size: number of bytes so far.
    """

    def __init__(self, max_objects=MAX_OBJECTS, max_bytes=MAX_BYTES, max_seconds=MAX_SECONDS):
        self.objects = self.size = 0
        self._limits = max_objects, max_bytes, max_seconds
        self._started = time.thread_time()

    def visit(self, number=1):
        """Counts objects before they are looked at.

        Args:
            number: number of the objects, or a higher one for objects that take long.

        Raises:
            OverBudget: these are too many, or the time is over.
        """
        max_objects, _, max_seconds = self._limits
        self.objects += number
        if self.objects > max_objects:
            raise OverBudget(f"it has more than {counted(max_objects, 'object')}")
        if time.thread_time() - self._started > max_seconds:
            raise _too_slow(max_seconds)

    def read(self, number):
        """Counts bytes before they are read.

        Args:
            number: number of the bytes.

        Raises:
            OverBudget: these are too many.
        """
        self.size += number
        if self.size > self._limits[1]:
            raise OverBudget(f"it has more than {counted(self._limits[1], 'byte')}")

    def run(self, function, *arguments):
        """Calls a function of another package, which counts nothing, in a thread that is interrupted in time.

        Args:
            function: Python function; it is interrupted between two of its steps, so that each must be short.
            *arguments: its arguments.

        Returns:
            Its result.

        Raises:
            OverBudget: it takes more processor time than the limit.
        """
        worker = _Worker(function, arguments)
        worker.start()
        while worker.is_alive():
            worker.join(POLL_SECONDS)
            if worker.seconds() > self._limits[2]:
                # The documented way to interrupt another thread; a step that catches it is interrupted again.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(worker.ident), ctypes.py_object(_Interrupt))
                worker.join(1)
        if isinstance(worker.error, _Interrupt):
            raise _too_slow(self._limits[2])
        if worker.error:
            raise worker.error
        return worker.result


class _Worker(threading.Thread):
    """Calls a function, and keeps its result or error."""

    def __init__(self, function, arguments):
        super().__init__(daemon=True)
        self._call = functools.partial(function, *arguments)
        self._clock, self._since = None, 0.0
        self.result, self.error = None, _Interrupt()

    def run(self):
        """Calls the function."""
        clock = getattr(time, "pthread_getcpuclockid", lambda _: time.CLOCK_MONOTONIC)(threading.get_ident())
        self._since = time.clock_gettime(clock)
        self._clock = clock
        try:
            self.result, self.error = self._call(), None
        except BaseException as error:
            self.error = error

    def seconds(self):
        """Returns the processor time of the thread so far; 0 where it has not started or has ended."""
        try:
            return time.clock_gettime(self._clock) - self._since
        except (OSError, TypeError):
            return 0.0


class _Interrupt(SystemExit):
    """Interrupts a thread, silently; an `Exception` would be caught by functions that try several ways."""


def _too_slow(seconds):
    return OverBudget(f"it takes more than {seconds:g} seconds of processor time")
