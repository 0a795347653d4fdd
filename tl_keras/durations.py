"""Durations as people write them: 90s, 10m, 1h30m."""

import re

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
