"""Reading of JSON files that others may have made, and lines of JSON with names that others gave."""

import json
import os

from tl_keras.errors import MAX_QUOTED, InputError
from tl_keras.system.budget import Budget

MAX_JSON_BYTES = 32_000_000
"""Maximum size, above that of the largest vocabulary; in memory a list of empty lists takes 20 times its size."""
MAX_DEPTH = 100
MAX_DIGITS = 300
"""Maximum digits of an integer, so that each is a float, too."""


def read_json(path, kind, advice, budget=None):
    """Reads a JSON file of limited size.

    Args:
        path: `pathlib.Path` of the file.
        kind: type that the content must have, dict or list.
        advice: end of the error message, which says how to fix it.
        budget: `Budget` that the bytes are counted in; None takes a new one of `MAX_JSON_BYTES`.

    Returns:
        Nested dicts, lists, str, numbers, bool and None.

    Raises:
        InputError: the file is missing, too large, not JSON, or of another type.
    """
    try:
        if not os.path.isfile(path):
            raise ValueError("it is missing" if not os.path.lexists(path) else "it is no plain file")
        (budget or Budget(max_bytes=MAX_JSON_BYTES)).read(path.stat().st_size)
        value = parse_json(path.read_text(encoding="utf-8"))
        check_depth(value)
        if not isinstance(value, kind):
            raise ValueError(f"it holds a {type(value).__name__}, expected a {kind.__name__}")
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:MAX_QUOTED]
        raise InputError(f"Cannot read {str(path)!r} ({reason}): {advice}.") from error
    return value


def parse_json(text):
    """Parses JSON that others may have made.

    Args:
        text: str or bytes.

    Returns:
        Nested dicts, lists, str, numbers, bool and None.

    Raises:
        ValueError: it is not JSON, or holds an integer of more than `MAX_DIGITS` digits.
    """
    return json.loads(text, parse_int=_parse_integer)


def _parse_integer(digits):
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it holds an integer of {len(digits)} digits")
    return int(digits)


def format_line(values):
    """Formats values as one line of JSON.

    Args:
        values: dict; names of files and texts in it may hold halves of characters, which UTF-8 cannot encode.

    Returns:
        The line with its end, with escapes instead of letters if it holds such a half.
    """
    line = json.dumps(values, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(values)
    return line + "\n"


def check_depth(value):
    """Refuses a value of JSON that other functions, which call themselves, could not walk.

    Args:
        value: what `parse_json` returned.

    Raises:
        ValueError: it is nested more than `MAX_DEPTH` levels deep.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _values(one)]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")


def _values(value):
    return value.values() if isinstance(value, dict) else value
