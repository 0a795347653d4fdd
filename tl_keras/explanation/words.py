"""Words of a text: its tokens joined, with one attribution each."""

CONTINUES = "##"
"""Mark of WordPiece before a token that continues a word."""
BEGINS = "▁"
"""Mark of SentencePiece before a token that begins a word."""
BEGINS_BYTES = "Ġ"
"""The same mark of byte pairs, a blank in their alphabet."""


def join_words(tokens, is_first, values, mark):
    """Joins the tokens of each word and sums their attributions.

    Args:
        tokens: list of str, as the vocabulary spells them.
        is_first: bool (tokens,), True for tokens that begin a text.
        values: float (tokens,), one attribution for each token.
        mark: `CONTINUES`, `BEGINS` or `BEGINS_BYTES`, by the kind of the tokenizer.

    Returns:
        List of (word, attribution).
    """
    words = []
    for token, first, value in zip(tokens, is_first, values, strict=True):
        if first or token.startswith(mark) == (mark != CONTINUES):
            words.append(("", 0.0))
        text, total = words[-1]
        words[-1] = (text + token.removeprefix(mark), total + float(value))
    decode = _decode_bytes if mark == BEGINS_BYTES else str
    return [(decode(word), value) for word, value in words]


def _decode_bytes(word):
    """Converts a word in the alphabet of byte pairs, where each letter is a byte, to text."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    alphabet = {chr(byte): byte for byte in plain} | {chr(256 + number): byte for number, byte in enumerate(others)}
    return bytes(alphabet[letter] for letter in word if letter in alphabet).decode("utf-8", "replace").strip()
