"""Texts as token ids, all in one flat array: nothing is padded until a batch is made."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class TokenSet:
    """Token ids of n texts with their labels.

    Attributes:
        tokens: int32 (total,), the ids of one text after those of another, special ones included.
        offsets: int64 (n + 1,); text i is `tokens[offsets[i]:offsets[i + 1]]`.
        segments: int8 (total,), 0 for the first text of a pair and 1 for the second; None where a model has none.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros; None
            where nobody knows.
        names: n names for reports.
        texts: n texts, or tuples of two, cleaned and whole but for texts of 100,000 characters and more; for reports.
        class_names: the names of the classes.
        pad_id: what fills up a batch.
        cut_texts: how many texts were too long and are there in part only.
        cut_tokens: about how many tokens were left out of these.
        owners: int64 (n,), ascending from 0, where the rows are windows of texts: the number of the text that each is
            of. None: each is a whole text.
        windows: the `TokenSet` of the windows that these texts are split into; None: into none.
    """

    tokens: np.ndarray
    offsets: np.ndarray
    segments: np.ndarray | None
    labels: np.ndarray | None
    names: list[str]
    texts: list[str | tuple[str, str]]
    class_names: tuple[str, ...]
    pad_id: int
    cut_texts: int = 0
    cut_tokens: int = 0
    owners: np.ndarray | None = None
    windows: "TokenSet | None" = None

    def __len__(self):
        """Returns the number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self):
        """The number of tokens of each text, int64 (n,)."""
        return np.diff(self.offsets)

    @property
    def first_rows(self):
        """The rows that texts begin with, int64 (number of texts,): all of them where there are no windows."""
        return np.arange(len(self)) if self.owners is None else np.unique(self.owners, return_index=True)[1]


@dataclass(frozen=True, eq=False)
class TokenSplits:
    """The three parts of a data set; validation and test may be of length 0.

    Attributes:
        train: a `TokenSet`; where long texts are split into windows, each window is an example of its own.
        validation: a `TokenSet`, as that of the training.
        test: a `TokenSet`; each text is one example, its windows are in `test.windows`.
        class_names: the names of the classes.
    """

    train: TokenSet
    validation: TokenSet
    test: TokenSet
    class_names: tuple[str, ...]

    @property
    def cut_texts_share(self):
        """The part of all texts that were too long, 0 to 1."""
        return sum(part.cut_texts for part in self._parts) / max(1, sum(len(part.first_rows) for part in self._parts))

    @property
    def cut_tokens_share(self):
        """About the part of all tokens that were left out of texts that were too long, 0 to 1."""
        cut = sum(part.cut_tokens for part in self._parts)
        return cut / max(1, cut + sum(len(part.tokens) for part in self._parts))

    @property
    def _parts(self):
        return (self.train, self.validation, self.test)
