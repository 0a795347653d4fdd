"""UTF-8 decoding whose errors name the line and the likely encoding."""

import codecs

# The longer marks come first, because UTF-32 starts with the mark of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

# Accented letters are rarer than this in the languages of latin-1.
_MAX_ACCENTS = 0.2


class NotUtf8(ValueError):
    """Reports bytes that are not UTF-8.

    Attributes:
        line: int, the first line that is not UTF-8, from 1.
        reason: the byte and the likely encoding, without the name of the file.
    """

    def __init__(self, line, reason):
        """Builds the message from the reason."""
        super().__init__(reason)
        self.line = line
        self.reason = reason


def decode_utf8(content):
    """Decodes UTF-8 and drops its byte order mark.

    Args:
        content: bytes.

    Returns:
        str.

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
        place = f"byte 0x{content[error.start]:02x} at position {error.start}, line {line}"
        raise NotUtf8(line, f"{place}, {_likely_cause(content, error)}") from error


def _wide_encoding(content):
    """Returns "UTF-16" or "UTF-32", recognised by its mark or its zero bytes; None for other encodings."""
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return name
    start = content[:1000]
    return "UTF-16" if start.count(0) * 3 > len(start) else None


def _likely_cause(content, error):
    if error.reason == "unexpected end of data" and error.end == len(content):
        return "where it breaks off in the middle of a character"
    around = content[max(0, error.start - 1000) : error.start + 1000]
    high = sum(byte > 127 for byte in around)
    letters = sum(bytes((byte,)).isalpha() for byte in around)
    if high > _MAX_ACCENTS * (high + letters):
        return "it looks like an older encoding"
    # Control characters in latin-1, but curly quotes, dashes and the euro sign in Windows-1252.
    windows = any(0x80 <= byte < 0xA0 for byte in around)
    return f"it looks like {'Windows-1252' if windows else 'latin-1'}"
