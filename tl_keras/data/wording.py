"""Short forms of long lists, long messages and unprintable names, for messages."""

import os
import re
import unicodedata
from pathlib import Path

MAX_EXCERPT = 80
"""Characters of a cell that a message quotes."""
MAX_ITEM = 500
"""Characters of an item of a list that a message quotes: a path and what is wrong with it."""
MAX_STEM_BYTES = 200
"""Bytes that a new file takes from the name of another one; names have at most 255 on most systems."""

JOINERS = "\u200c\u200d"
"""Zero-width characters of correct spelling: in Persian and Indian words, and in emoji such as families."""

_NUMBER = re.compile(r"([-+]?)([0-9]+)(?:\.([0-9]*))?")


def first_of(items, limit=20):
    """Joins the first `limit` items with "; " and counts the others."""
    items = list(items)
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return "; ".join(excerpt(str(item), MAX_ITEM) for item in items[:limit]) + more


def one_line(error):
    """Returns the message of an exception without line breaks and without its full stop."""
    return " ".join(str(error).split()).removesuffix(".")


def printable(name):
    """Escapes control characters and bytes that are not UTF-8, as in "\\n".

    Joiners stay where they belong to the spelling: beside a letter or symbol that is not ASCII.

    Args:
        name: str, such as the name of a file.

    Returns:
        str that fits into one line of any UTF-8 file or terminal; most names stay unchanged.
    """
    if name.isprintable():
        return name
    around = f" {name} "
    return "".join(
        char if char.isprintable() or _joins(*around[place : place + 3]) else char.encode("unicode_escape").decode()
        for place, char in enumerate(name)
    )


def as_class_name(text):
    """Converts a text to a class name: printable, and accents in one encoding (NFC).

    macOS writes an accented letter in the name of a folder as two characters, most other programs as one.

    Args:
        text: str.

    Returns:
        str.
    """
    return printable(unicodedata.normalize("NFC", text))


def excerpt(text, length=MAX_EXCERPT):
    """Escapes a text for a message as `printable` does, and cuts it to a number of characters."""
    shown = printable(text[: length + 1])
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def short_stem(path):
    """Returns the name of a file without its suffix, cut so that a new file can be named after it.

    Args:
        path: str.

    Returns:
        str of at most `MAX_STEM_BYTES`.
    """
    stem = Path(path).stem
    encoded = os.fsencode(stem)
    return stem if len(encoded) <= MAX_STEM_BYTES else encoded[:MAX_STEM_BYTES].decode(errors="ignore")


def as_number(name):
    """Writes a number in its shortest form, such as "1" for "1.0" and "01".

    Args:
        name: str.

    Returns:
        str, equal for equal numbers; None if the name is not a number in digits.
    """
    match = _NUMBER.fullmatch(name)
    if not match or not name.isascii():
        return None
    whole, fraction = match[2].lstrip("0") or "0", (match[3] or "").rstrip("0")
    digits = f"{whole}.{fraction}" if fraction else whole
    return f"-{digits}" if match[1] == "-" and digits != "0" else digits


def without_joiners(name):
    """Returns a name without its zero-width joiners, for comparisons."""
    return name.translate(dict.fromkeys(map(ord, JOINERS)))


def lookalikes(names):
    """Finds names that differ only in case, spaces, joiners or the encoding of characters, and equal numbers.

    Letters alone, such as the classes of handwritten letters, may differ in case.

    Args:
        names: iterable of distinct str.

    Returns:
        List of str, such as "'Cat' and 'cat'", one for each group.
    """
    groups = {}
    for name in names:
        plain = " ".join(without_joiners(unicodedata.normalize("NFKC", name)).split())
        alike = as_number(plain) or (plain.casefold() if len(name) > 1 else plain)
        groups.setdefault(alike, []).append(name)
    return [" and ".join(map(_quoted, sorted(group))) for group in groups.values() if len(group) > 1]


def _quoted(name):
    return repr(excerpt(name))


def _joins(before, char, after):
    return char in JOINERS and any(one.isprintable() and not one.isascii() for one in (before, after))
