"""Equal texts: leaks between splits and conflicting labels are refused or left out, others are counted."""

import re
from dataclasses import replace

import numpy as np

from tl_keras.data.duplicates import group_rows, refuse_duplicates
from tl_keras.data.images.bad_files import check_max_bad_files, listed
from tl_keras.data.texts.cleaning import clean_text
from tl_keras.data.wording import first_of
from tl_keras.errors import InputError, counted, part_of

_NO_LETTERS = re.compile(r"[\W_]+")


def text_key(source):
    """Computes what equal texts share: all but invisible characters and the width of spaces.

    Args:
        source: str, or a tuple of two for a pair.

    Returns:
        str.
    """
    return "\n".join(" ".join(clean_text(text).split()) for text in _parts(source))


def remove_duplicates(records, *, on_bad_file="error", max_bad_files=0.01):
    """Refuses or leaves out texts that equal one of another split or with another label.

    Args:
        records: `Records` of texts without undecided splits.
        on_bad_file: "error", or "skip" to leave out such texts, see `refuse_duplicates`.
        max_bad_files: maximum fraction of the texts that may be left out, 0 to 1.

    Returns:
        `Records` of the others, which list those left out in `skipped`; notes count the duplicates that stay, and the
        validation and test texts that equal a training text but for case and punctuation.

    Raises:
        InputError: there are such texts (the first 20 are named, with reasons), or more than may be left out.
    """
    groups = group_rows(map(text_key, records.sources), range(len(records)))
    reasons, num_harmless = refuse_duplicates(records, groups, "text")
    skipped = [*records.skipped, *((records.names[row], reasons[row]) for row in sorted(reasons))]
    total = len(records) + len(records.skipped)
    if reasons and on_bad_file == "error":
        raise InputError(
            f"{len(reasons)} of {counted(total, 'text')} cannot be used: {listed(skipped)}; remove them, or leave them "
            "out with --data.on_bad_file skip."
        )
    check_max_bad_files(skipped, total, max_bad_files, "texts")
    good = np.setdiff1d(np.arange(len(records)), list(reasons))
    notes = _notes(records.take(good), num_harmless)
    return replace(records.take(good), notes=(*records.notes, *notes), skipped=tuple(skipped))


def _notes(records, num_harmless):
    if num_harmless:
        yield f"{part_of(num_harmless, len(records), 'text', ('duplicates', 'duplicate'))} others in their split."
    train = {}
    for row in records.rows("train"):
        train.setdefault(_letters(records.sources[row]), row)
    others = [row for row, split in enumerate(records.splits) if split != "train"]
    pairs = [(train.get(_letters(records.sources[row])), row) for row in others]
    near = [f"{records.names[row]} and {records.names[other]}" for row, other in pairs if row is not None]
    if near:
        yield (
            f"{counted(len(near), 'validation or test text equals', 'validation or test texts equal')} a training text "
            f"but for case and punctuation, look at: {first_of(near, 5)}."
        )


def _letters(source):
    """Returns the letters and digits of a text, or all of a text without any."""
    plain = _NO_LETTERS.sub(" ", text_key(source)).strip().casefold()
    return plain or text_key(source)


def _parts(source):
    return source if isinstance(source, tuple) else (source,)
