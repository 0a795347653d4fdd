"""The time that a run may take."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TimeLimit:
    """Counts the seconds since a start.

    Attributes:
        seconds: maximum; None sets no limit.
        started: time of the start, of `time.monotonic`.
    """

    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def passed(self):
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self):
        """Seconds that are left, at least 0, or None without a limit."""
        return None if self.seconds is None else max(0.0, self.seconds - self.passed)


NO_LIMIT = TimeLimit()
