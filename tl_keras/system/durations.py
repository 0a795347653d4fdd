"""Durations as people write them: 90s, 10m, 1h30m, 200 steps."""

import re
from dataclasses import dataclass

from tl_keras.errors import InputError


def parse_duration(text):
    """Turns a duration into seconds.

    Args:
        text: hours, minutes and seconds in this order, at least one of them, such as "1h30m" or "90s".

    Returns:
        Seconds, a float above 0.

    Raises:
        InputError: the text is no such duration.
    """
    number = r"(\d+(?:\.\d+)?)"
    found = re.fullmatch(rf"(?:{number}h)?(?:{number}m)?(?:{number}s)?", text.strip())
    parts = [float(part or 0) for part in found.groups()] if found else [0.0]
    if not any(parts):
        raise InputError(f"{text!r} is no duration: give hours, minutes or seconds, such as 1h30m, 10m or 90s.")
    return sum(part * seconds for part, seconds in zip(parts, (3600, 60, 1), strict=True))


@dataclass(frozen=True)
class Interval:
    """How often something is done: by the clock or by steps of training, the other is None."""

    seconds: float | None = None
    """Seconds between two times, above 0."""
    steps: int | None = None
    """Steps between two times, at least 1."""


def parse_interval(text):
    """Reads how often something is done.

    Args:
        text: a duration, such as "5m", or a number of steps, such as "200 steps".

    Returns:
        `Interval`.

    Raises:
        InputError: the text is neither.
    """
    if found := re.fullmatch(r"\s*0*([1-9]\d*) *steps?\s*", text):
        return Interval(steps=int(found[1]))
    try:
        return Interval(seconds=parse_duration(text))
    except InputError:
        raise InputError(
            f"{text!r} is no interval: give a duration or a number of steps, such as 5m or 200 steps."
        ) from None
