"""The three parts of a data set, loaded for training."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test examples of a data set.

    Attributes:
        train: an `ImageSet`, `BoxSet` or `TokenSet`.
        validation: the same, perhaps of length 0.
        test: the same, perhaps of length 0.
        class_names: names of the classes.
        skipped: (name, reason) of each file that was left out.
        notes: sentences for the user.
    """

    train: Any
    validation: Any
    test: Any
    class_names: tuple[str, ...]
    skipped: list[tuple[str, str]] = ()
    notes: tuple[str, ...] = ()
