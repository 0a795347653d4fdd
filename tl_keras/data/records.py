"""Data sets as a table of sources, labels and splits, and as three loaded parts."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tl_keras.data.wording import as_number

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Records:
    """Sources, labels and splits of a data set before decoding or tokenizing, one row per example.

    Attributes:
        sources: images as paths of files or as encoded images (bytes); texts as str, or tuples of two str.
        names: name of each example in reports: its path relative to the root, or its row.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros.
        splits: "train", "validation", "test", or "" if undecided.
        class_names: the names of the classes, in the order of the labels.
        notes: sentences for the user on examples that were left out or look wrong.
        skipped: (name, reason) of each file that was left out.
        COLUMNS: names of the attributes with an entry per example.
    """

    sources: list[str | bytes | tuple[str, str]]
    names: list[str]
    labels: np.ndarray | list[np.ndarray]
    splits: list[str]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    # Attributes with an entry per example.
    COLUMNS = ("sources", "names", "labels", "splits")

    def __len__(self):
        """Returns the number of examples."""
        return len(self.sources)

    def rows(self, split):
        """Returns the row numbers of a split, int64 (k,), in order."""
        return np.flatnonzero(np.asarray(self.splits, dtype=object) == split)

    def take(self, rows):
        """Returns new records with the given rows, in the given order."""
        return replace(self, **{name: _take(getattr(self, name), rows) for name in self.COLUMNS})


def _take(column, rows):
    return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows]


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test examples of a data set, loaded for training.

    Attributes:
        train: an `ImageSet`, `BoxSet` or `TokenSet`.
        validation: the same, perhaps of length 0.
        test: the same, perhaps of length 0.
        class_names: names of the classes.
        skipped: (name, reason) of each file that was left out.
        notes: sentences for the user.
        records: the `Records` that they were loaded from, or None.
        typical_side: median of the shorter sides of all images in pixels, see `typical_side`, also of those that a
            label budget leaves out, so that runs with other budgets choose the same image size; 0 if unknown.
    """

    train: Any
    validation: Any
    test: Any
    class_names: tuple[str, ...]
    skipped: list[tuple[str, str]] = ()
    notes: tuple[str, ...] = ()
    records: Records | None = None
    typical_side: int = 0


def split_of_name(name):
    """Returns the split that a name such as "val" or "Train" stands for; None if it is no split."""
    aliases = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}
    name = aliases.get(name.strip().lower(), name.strip().lower())
    return name if name in SPLITS else None


def sorted_class_names(names):
    """Sorts class names alphabetically, or by value if all are numbers ("9" before "10")."""
    names = set(names)
    numeric = all(map(as_number, names))
    return tuple(sorted(names, key=(lambda name: (float(as_number(name)), name)) if numeric else None))
