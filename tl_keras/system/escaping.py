"""Names and texts of strangers, made harmless for what they are written to: spreadsheets and terminals."""

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def csv_cell(text):
    """Makes a text for a cell of a CSV file that no spreadsheet computes.

    Args:
        text: str.

    Returns:
        The text, behind an apostrophe where it would begin a formula. A number, such as -1, is none.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(text) else text


def for_terminal(text):
    """Makes a text of one line for a terminal, which would obey its control characters.

    Args:
        text: str.

    Returns:
        The text with a replacement character for each of them.
    """
    return CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
