"""What is known about a data set before it is decoded or tokenized: a table of sources, labels and splits."""

from dataclasses import dataclass, replace

import numpy as np

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Records:
    """One row per example.

    Attributes:
        sources: of images, the path of each file, or the encoded image itself (bytes); of texts, each text, or a
            tuple of two.
        names: what reports call each example: its path relative to the root, or its row.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros.
        splits: "train", "validation", "test", or "" where that is not decided yet.
        class_names: the names of the classes, in the order of the labels.
        notes: sentences on what was left out or looks odd, for the user to read.
        skipped: (name, reason) of each file that was left out already.
    """

    sources: list[str | bytes | tuple[str, str]]
    names: list[str]
    labels: np.ndarray
    splits: list[str]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self):
        """Returns the number of examples."""
        return len(self.sources)

    def rows(self, split):
        """Returns the row numbers of a split, int64 (k,), in order."""
        return np.flatnonzero(np.asarray(self.splits, dtype=object) == split)

    def take(self, rows):
        """Returns new Records with the given rows, in the given order."""
        return replace(
            self,
            sources=[self.sources[row] for row in rows],
            names=[self.names[row] for row in rows],
            labels=self.labels[rows],
            splits=[self.splits[row] for row in rows],
        )


def split_of_name(name):
    """Returns the split that a folder or a cell calls `name` ("val", "Train", ...), or None if it names no split."""
    aliases = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation", "testing": "test"}
    name = aliases.get(name.strip().lower(), name.strip().lower())
    return name if name in SPLITS else None


def sorted_class_names(names):
    """Sorts class names by letters, or by value where every one is a whole number, so that "10" follows "9"."""
    names = set(names)
    numeric = all(name.isdecimal() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if numeric else None))
