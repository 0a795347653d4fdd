"""Texts without what nobody sees: the tokenizers of KerasHub take it for letters, and words with it for unknown."""

import re

# What HTML and word processors put between words in place of a space, and control characters that end lines or fields.
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\x0b\x0c\x1c-\x1f\x85]")

# Other control characters, soft hyphens, zero widths, marks of direction, byte order marks.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")

_HALVES = re.compile("[\ud800-\udfff]")

MAX_CHARACTERS = 100_000
"""So much of a text is looked at, or more where that many tokens are wanted; longer ones are cut before tokenizing."""

CHARACTERS_PER_TOKEN = 16
"""Three times what English takes on average."""


def clean_text(text):
    """Makes spaces of every kind plain ones and removes characters that cannot be seen.

    The original BERT does so inside its tokenizer (Devlin et al. 2018, `_clean_text` of `tokenization.py`), those of
    KerasHub 0.32 do so in part: without this, a no-break space makes an unknown word of its two neighbours.

    Args:
        text: str.

    Returns:
        str; tabs and ends of lines stay, half characters (lone surrogates) become U+FFFD. Cleaning twice changes
        nothing more.
    """
    return _HALVES.sub("\ufffd", _SPACES.sub(" ", _UNSEEN.sub("", text)))


def prepare_text(source, max_tokens, truncation):
    """Makes a text what tokenizers see of it, in training and in prediction: clean, and cut where it has megabytes.

    Args:
        source: str, or for a pair a tuple of two.
        max_tokens: how many of its tokens can stay, over all windows.
        truncation: "head", "tail" or "head_tail": which part of the text counts.

    Returns:
        As `source`: what `clean_text` makes of it, and of that at most `MAX_CHARACTERS` or `CHARACTERS_PER_TOKEN` *
        `max_tokens` characters, whatever is more; between head and tail stands a space.
    """
    if isinstance(source, tuple):
        return tuple(prepare_text(text, max_tokens, truncation) for text in source)
    text = clean_text(source)
    most = max(MAX_CHARACTERS, CHARACTERS_PER_TOKEN * max_tokens)
    if len(text) <= most:
        return text
    if truncation == "head_tail":
        return f"{text[: most // 2]} {text[-(most // 2) :]}"
    # A tokenizer may take a minute for a text of 4 MB.
    return text[:most] if truncation == "head" else text[-most:]
