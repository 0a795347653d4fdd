"""Removal of invisible characters, which the tokenizers of KerasHub treat as letters of unknown words."""

import re

# Special spaces of HTML and word processors, and control characters that end lines or fields.
SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\x0b\x0c\x1c-\x1f\x85]")

# Other control characters, soft hyphens, zero-width characters, direction marks, byte order marks.
INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")

LONE_SURROGATES = re.compile("[\ud800-\udfff]")

MAX_CHARACTERS = 100_000
"""Longer texts are cut before tokenizing, unless more characters are needed for the maximum number of tokens."""

CHARACTERS_PER_TOKEN = 16
"""Characters allowed per token: three times the average of English."""


def clean_text(text):
    """Replaces all kinds of spaces by plain spaces and removes invisible characters.

    The original BERT does so in its tokenizer (Devlin et al. 2018, `_clean_text` of `tokenization.py`); the tokenizers
    of KerasHub 0.32 do so only in part, and turn two words with a no-break space between them into an unknown word.

    Args:
        text: str.

    Returns:
        str; tabs and line ends stay, lone surrogates become U+FFFD. Cleaning twice has no further effect.
    """
    return LONE_SURROGATES.sub("\ufffd", SPACES.sub(" ", INVISIBLE.sub("", text)))


def prepare_text(source, max_tokens, truncation):
    """Cleans a text and cuts very long ones, for tokenizing in training and in prediction.

    Args:
        source: str, or a tuple of two for a pair.
        max_tokens: maximum number of tokens of the text over all windows.
        truncation: "head", "tail" or "head_tail", the part of the text to keep.

    Returns:
        The text or pair after `clean_text`, each text with at most `MAX_CHARACTERS` or `CHARACTERS_PER_TOKEN` *
        `max_tokens` characters, whichever is larger; a space separates head and tail.
    """
    if isinstance(source, tuple):
        return tuple(prepare_text(text, max_tokens, truncation) for text in source)
    text = clean_text(source)
    # A tokenizer may take a minute for a text of 4 MB.
    limit = max(MAX_CHARACTERS, CHARACTERS_PER_TOKEN * max_tokens)
    if len(text) <= limit:
        return text
    if truncation == "head_tail":
        return f"{text[: limit // 2]} {text[-(limit // 2) :]}"
    return text[:limit] if truncation == "head" else text[-limit:]
