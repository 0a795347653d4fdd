"""Durations and intervals as people write them: 90s, 10m, 1h30m, 200 steps."""

import re
from dataclasses import dataclass

from tl_keras.errors import InputError, quoted

NUMBER = r"(\d+(?:\.\d+)?)"
UNITS = ("h(?:ours?|rs?)?", "m(?:in(?:ute)?s?)?", "s(?:ec(?:ond)?s?)?")
DURATION = re.compile("".join(rf"(?:{NUMBER}\s*{unit}\s*)?" for unit in UNITS), re.IGNORECASE)


def parse_duration(text, name="max_time"):
    """Converts a duration to seconds.

    Args:
        text: hours, minutes and seconds in this order, at least one of them, such as "1h30m", "90s" or "2 min".
        name: setting that holds the text, for the message.

    Returns:
        Seconds, a float above 0.

    Raises:
        InputError: the text is not a duration.
    """
    match = DURATION.fullmatch(text.strip())
    parts = [float(part or 0) for part in match.groups()] if match else [0.0]
    if not any(parts):
        advice = "give hours, minutes or seconds, such as 1h30m, 10m or 90s"
        if re.fullmatch(NUMBER, number := text.strip()) and float(number):
            advice = f"it needs a unit, such as {number}m for minutes or {number}s for seconds"
        raise InputError(f"{name} is {quoted(text)}: {advice}.")
    return sum(part * seconds for part, seconds in zip(parts, (3600, 60, 1), strict=True))


def format_duration(seconds):
    """Formats an estimated time in its largest units, such as "45 s", "39 min" and "2 h 10 min".

    Args:
        seconds: float, at least 0.
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@dataclass(frozen=True)
class Interval:
    """The time between two events, either in seconds or in training steps; the other one is None."""

    seconds: float | None = None
    """Seconds between two events, above 0."""
    steps: int | None = None
    """Training steps between two events, at least 1."""


def parse_interval(text, name="checkpoint_every"):
    """Converts a duration or a number of steps to an interval.

    Args:
        text: a duration, such as "5m", or a number of steps, such as "200 steps".
        name: setting that holds the text, for the message.

    Returns:
        `Interval`.

    Raises:
        InputError: the text is neither.
    """
    if match := re.fullmatch(r"\s*0*([1-9]\d*) *steps?\s*", text):
        return Interval(steps=int(match[1]))
    try:
        return Interval(seconds=parse_duration(text))
    except InputError:
        raise InputError(
            f"{name} is {quoted(text)}, expected a duration or a number of steps, such as 5m or 200 steps."
        ) from None
