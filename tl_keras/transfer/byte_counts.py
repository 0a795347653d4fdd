"""Numbers of bytes as people read them."""


def format_bytes(count):
    """Writes a number of bytes.

    Args:
        count: 0 or more.

    Returns:
        str, such as "0.4 MB" or "12.30 GB".
    """
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"
