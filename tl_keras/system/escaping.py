"""Untrusted text, escaped for spreadsheets and terminals."""

import re

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""Characters that start a formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection), in a
Japanese one also at full width."""
CELL_ENDS = re.compile(r"([;\t\r\n]+)")
"""What ends a cell in spreadsheets of many countries, even between the quotes of a cell in the middle of a line."""
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]")
"""Characters that a terminal executes, and those that change the order of the others."""
LAYOUT = "\n\r\t"
"""Control characters of own texts: lines, and progress bars that return to the start of theirs."""


def csv_cell(text):
    """Escapes a text for a cell of a CSV file, so that no spreadsheet evaluates it as a formula.

    Args:
        text: str.

    Returns:
        The text, with an apostrophe in front of each part that starts like a formula: the whole text, and what follows
        a semicolon, a tab or a line end. Numbers, such as -1, stay unchanged.
    """
    first, *others = CELL_ENDS.split(text)
    escaped = "".join([first, *(_cell(part) if number % 2 else part for number, part in enumerate(others))])
    return f"'{escaped}" if _cell(text) != text else escaped


def by_cell(names):
    """Maps names, and the cells that `csv_cell` makes of them, to the names, since people copy cells.

    Args:
        names: iterable of str.

    Returns:
        Dict from str to str; a name stands for itself.
    """
    return {csv_cell(name): name for name in names} | {name: name for name in names}


def _cell(text):
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text


def for_terminal(text):
    """Escapes a one-line text for a terminal, which would execute its control characters.

    Args:
        text: str.

    Returns:
        The text with a replacement character for each control character.
    """
    return CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)


def for_lines(text):
    """Escapes a text of several lines for a terminal; its line ends and tabs stay.

    Args:
        text: str.

    Returns:
        The text with a replacement character for each other control character.
    """
    return CONTROL_CHARACTERS.sub(_unless_layout, text)


class EscapedStream:
    """Escapes all that is printed to a text stream, whoever prints it; everything else is left to the stream.

    Args:
        stream: text stream, such as `sys.stdout`.

    Attributes:
        stream: the same, for data that another program reads.
    """

    def __init__(self, stream):
        self.stream = stream

    def __getattr__(self, name):
        """Returns an attribute of the stream."""
        return getattr(self.stream, name)

    def write(self, text):
        """Writes a text with a replacement character for each control character except line ends and tabs."""
        self.stream.write(for_lines(text))
        return len(text)


def _unless_layout(match):
    return match[0] if match[0] in LAYOUT else "\N{REPLACEMENT CHARACTER}"
