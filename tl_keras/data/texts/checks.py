"""What no text for learning may be: empty, broken, or not a text at all."""

import re
from collections import Counter

from tl_keras.data.texts.cleaning import clean_text

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MENDS = {
    "no text": "fill them or remove them",
    "a list in place of a text": "join its parts to one text",
    "NUL characters": "remove these characters, the file may be damaged or UTF-16",
    "half a character (a lone surrogate)": "write the text anew as UTF-8",
}


def check_texts(places, texts, faults):
    """Makes sure that every text can be learned from.

    Args:
        places: where each text stands, such as "line 7".
        texts: list of str, or of tuples of str for pairs.
        faults: `Faults` to which the others are added.
    """
    for place, text in zip(places, texts, strict=True):
        problem = next(filter(None, map(text_problem, text if isinstance(text, tuple) else (text,))), None)
        if problem:
            faults.add(problem, place, _MENDS[problem])


def note_repeated(texts):
    """Says how many texts are there more than once.

    Args:
        texts: list of str or tuples of str.

    Returns:
        A tuple of one sentence, or of none.
    """
    copies = sum(count - 1 for count in Counter(texts).values())
    if not copies:
        return ()
    return (f"{copies:,} of {len(texts):,} texts are copies of others, which may stand in another split.",)


def text_problem(text):
    """Finds out what is wrong with a text.

    Args:
        text: str, or a list where a table holds one in its place.

    Returns:
        A few words, a key of what `check_texts` lists; None where nothing is wrong.
    """
    if not isinstance(text, str):
        return "a list in place of a text"
    if "\0" in text:
        return "NUL characters"
    if not clean_text(text).strip():
        return "no text"
    if _LONE_SURROGATE.search(text):
        return "half a character (a lone surrogate)"
    return None
