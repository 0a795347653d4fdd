"""Bytes to text, and where that fails: at which line, and what the bytes look like instead."""

import codecs

# The longer marks first: UTF-32 begins as UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

# Letters with accents are rarer than this in the languages that latin-1 is made for.
_MAX_ACCENTS = 0.2


class NotUtf8(ValueError):
    """Bytes are not UTF-8.

    Attributes:
        line: int, the first line where they are not, from 1.
        reason: what was found and what it looks like, without the name of the file.
    """

    def __init__(self, line, reason):
        """Makes the message from the reason."""
        super().__init__(reason)
        self.line = line
        self.reason = reason


def decode_utf8(content):
    """Decodes a text; a byte order mark of UTF-8 is left out.

    Args:
        content: bytes.

    Returns:
        The text, a str.

    Raises:
        NotUtf8: the bytes are in another encoding.
    """
    wide = _wide_encoding(content)
    if wide:
        raise NotUtf8(1, f"it looks like {wide}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x} at position {error.start}, line {line}"
        raise NotUtf8(line, f"{found}, {_likeness(content, error)}") from error


def _wide_encoding(content):
    """Names the encoding of two or four bytes a character, by its mark or by the zeros that every ASCII letter has."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return name
    start = content[:1000]
    return "UTF-16" if start.count(0) * 3 > len(start) else None


def _likeness(content, error):
    if error.reason == "unexpected end of data" and error.end == len(content):
        return "where it breaks off in the middle of a character"
    around = content[max(0, error.start - 1000) : error.start + 1000]
    high = sum(byte > 127 for byte in around)
    letters = sum(bytes((byte,)).isalpha() for byte in around)
    if high > _MAX_ACCENTS * (high + letters):
        return "it looks like an older encoding"
    # In latin-1 these are control characters, in Windows-1252 curly quotes, dashes and the euro.
    windows = any(0x80 <= byte < 0xA0 for byte in around)
    return f"it looks like {'Windows-1252' if windows else 'latin-1'}"
