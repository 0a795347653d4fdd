"""Long lists, long messages and strange names in one sentence."""

import unicodedata


def first_of(items, limit=20):
    """Joins the first `limit` items with "; " and says how many more there are."""
    items = list(items)
    more = f"; and {len(items) - limit} more" if len(items) > limit else ""
    return "; ".join(str(item) for item in items[:limit]) + more


def one_line(error):
    """Returns the message of an exception without its line breaks and without a full stop, for a longer sentence."""
    return " ".join(str(error).split()).removesuffix(".")


def printable(name):
    """Writes what has no place in a line, control characters and bytes that are no UTF-8, as escapes such as \\n.

    Args:
        name: str, such as the name of a file.

    Returns:
        str that every UTF-8 file and terminal takes; most names as they are.
    """
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def lookalikes(names):
    """Finds names that differ in case, spaces or the way accents are encoded only: "Cat", "cat " and "cat".

    Names of a single character, such as the classes of handwritten letters, are not compared.

    Args:
        names: iterable of different str.

    Returns:
        List of str, such as "'Cat' and 'cat'", one for each group.
    """
    groups = {}
    for name in names:
        if len(name) > 1:
            alike = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
            groups.setdefault(alike, []).append(name)
    return [" and ".join(map(repr, sorted(group))) for group in groups.values() if len(group) > 1]
