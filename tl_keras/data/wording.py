"""Short forms of long lists, long messages and unprintable names, for messages."""

import unicodedata


def first_of(items, limit=20):
    """Joins the first `limit` items with "; " and counts the others."""
    items = list(items)
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return "; ".join(str(item) for item in items[:limit]) + more


def one_line(error):
    """Returns the message of an exception without line breaks and without its full stop."""
    return " ".join(str(error).split()).removesuffix(".")


def printable(name):
    """Escapes control characters and bytes that are not UTF-8, as in "\\n".

    Args:
        name: str, such as the name of a file.

    Returns:
        str that fits into one line of any UTF-8 file or terminal; most names stay unchanged.
    """
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def lookalikes(names):
    """Finds names that differ only in case, spaces or the encoding of accents, such as "Cat" and "cat".

    Names of one character, such as the classes of handwritten letters, are not compared.

    Args:
        names: iterable of distinct str.

    Returns:
        List of str, such as "'Cat' and 'cat'", one for each group.
    """
    groups = {}
    for name in names:
        if len(name) > 1:
            alike = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
            groups.setdefault(alike, []).append(name)
    return [" and ".join(map(repr, sorted(group))) for group in groups.values() if len(group) > 1]
