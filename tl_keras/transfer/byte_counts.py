"""Formatting of byte counts for people."""


def format_bytes(count):
    """Formats a number of bytes.

    Args:
        count: number of bytes, 0 or more.

    Returns:
        str, such as "0.4 MB" or "12.30 GB".
    """
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"
