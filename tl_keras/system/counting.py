"""Numbers with their nouns, in singular or plural."""


def counted(number, singular, plural=None):
    """Formats a number with its noun, as in "1 box" and "1,208 boxes".

    Args:
        number: int.
        singular: noun after 1, which other words may precede or, with a `plural`, follow, such as "box is".
        plural: noun after other numbers; None derives a regular one.

    Returns:
        str.
    """
    noun = singular if number == 1 else plural or _plural(singular)
    return f"{number:,} {noun}"


def _plural(noun):
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
