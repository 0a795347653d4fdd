"""Untrusted text, escaped for spreadsheets and terminals."""

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Characters that start a formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def csv_cell(text):
    """Escapes a text for a cell of a CSV file, so that no spreadsheet evaluates it as a formula.

    Args:
        text: str.

    Returns:
        The text, with an apostrophe in front if it starts like a formula. Numbers, such as -1, stay unchanged.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text


def for_terminal(text):
    """Escapes a one-line text for a terminal, which would execute its control characters.

    Args:
        text: str.

    Returns:
        The text with a replacement character for each control character.
    """
    return CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
