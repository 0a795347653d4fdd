"""Choice of the examples of labelled data to test a finished model on."""

from dataclasses import replace

import numpy as np

from tl_keras.data.records import SPLITS, split_of_name
from tl_keras.errors import InputError, counted

ALL = "all"


def choose_test_examples(records, path, split=None):
    """Chooses the examples of one split of other data for a test.

    Args:
        records: `Records`, with or without splits.
        path: where they come from, for messages.
        split: "train", "validation" or "test", also as "val"; "all"; None takes the test split if there is one, else
            all examples.

    Returns:
        New records, all of the split "test", with a note if examples were left out.

    Raises:
        InputError: the data lack the split.
    """
    present = [name for name in SPLITS if name in records.splits]
    wanted = split_of_name(split) or split if split else ("test" if "test" in present else ALL)
    if wanted not in (ALL, *present):
        found = f"the splits {', '.join(present)}" if present else "no splits"
        raise InputError(f"--split {split}: {str(path)!r} has {found}; give one of them, or --split {ALL}.")
    rows = np.arange(len(records)) if wanted == ALL else records.rows(wanted)
    left_out = len(records) - len(rows)
    note = (
        f"Tests the {wanted} split, {len(rows):,} of {counted(len(records), 'example')}; --split {ALL} takes them all."
    )
    chosen = records.take(rows)
    notes = (*records.notes, note) if left_out and split is None else records.notes
    return replace(chosen, splits=["test"] * len(rows), notes=notes)
