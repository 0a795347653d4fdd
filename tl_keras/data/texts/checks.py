"""Checks of texts: empty, damaged, or not a text at all."""

from tl_keras.data.texts.cleaning import LONE_SURROGATES, clean_text

_ADVICE = {
    "no text": "fill them or remove them",
    "a list in place of a text": "join its parts to one text",
    "NUL characters": "remove these characters, the file may be damaged or UTF-16",
    "half a character (a lone surrogate)": "write the text again as UTF-8",
}


def check_texts(places, texts, faults):
    """Adds texts that cannot be used to the faults.

    Args:
        places: location of each text, such as "line 7".
        texts: list of str, or of tuples of str for pairs.
        faults: `Faults` that collects the problems.
    """
    for place, text in zip(places, texts, strict=True):
        problem = next(filter(None, map(text_problem, text if isinstance(text, tuple) else (text,))), None)
        if problem:
            faults.add(problem, place, _ADVICE[problem])


def text_problem(text):
    """Describes the problem of a text that cannot be used.

    Args:
        text: str, or a list if the cell of a table is one.

    Returns:
        A few words, as `check_texts` reports them; None if the text is fine.
    """
    if not isinstance(text, str):
        return "a list in place of a text"
    if "\0" in text:
        return "NUL characters"
    if not clean_text(text).strip():
        return "no text"
    if LONE_SURROGATES.search(text):
        return "half a character (a lone surrogate)"
    return None
