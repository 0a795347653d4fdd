"""Tables in Markdown."""


def format_table(rows):
    """Formats a table of Markdown that is aligned in a terminal, too.

    Args:
        rows: list of lists of str, the first is the head.

    Returns:
        List of lines.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
