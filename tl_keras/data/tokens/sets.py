"""Token ids of texts in one flat array without padding."""

from dataclasses import dataclass, replace

import numpy as np

from tl_keras.data.records import Splits


@dataclass(frozen=True, eq=False)
class TokenSet:
    """Token ids and labels of n texts.

    Attributes:
        tokens: int32 (total,), the ids of all texts one after the other, with special tokens.
        offsets: int64 (n + 1,); text i is `tokens[offsets[i]:offsets[i + 1]]`.
        segments: int8 (total,), 0 for the first text of a pair and 1 for the second; None if the model has no segments.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros; None if
            unknown.
        names: n names for reports.
        texts: n texts, or tuples of two, for reports; cleaned, and cut to `MAX_CHARACTERS` or more, see
            `prepare_text`.
        class_names: names of the classes.
        pad_id: id of the padding.
        cut_texts: number of texts that were too long and were truncated.
        cut_tokens: estimated number of tokens that truncation removed.
        owners: int64 (n,), ascending from 0: if the rows are windows of texts, the number of the text of each window.
            None: each row is a whole text.
        windows: `TokenSet` of the windows of these texts; None if they are not split.
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
        """Number of tokens of each text, int64 (n,)."""
        return np.diff(self.offsets)

    @property
    def first_rows(self):
        """First row of each text, int64 (number of texts,); all rows if there are no windows."""
        return np.arange(len(self)) if self.owners is None else np.unique(self.owners, return_index=True)[1]

    def take(self, rows):
        """Returns the given rows, int (k,), in this order, without the windows of whole texts."""
        rows = np.asarray(rows, np.int64)
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        positions = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return replace(
            self,
            tokens=self.tokens[positions],
            offsets=offsets,
            segments=None if self.segments is None else self.segments[positions],
            labels=None if self.labels is None else self.labels[rows],
            names=[self.names[row] for row in rows],
            texts=[self.texts[row] for row in rows],
            owners=None if self.owners is None else np.unique(self.owners[rows], return_inverse=True)[1],
            windows=None,
        )


@dataclass(frozen=True, eq=False)
class TokenSplits(Splits):
    """Training, validation and test texts of a data set.

    Attributes:
        train: a `TokenSet`; if long texts are split into windows, each window is an example.
        validation: a `TokenSet` like `train`, perhaps of length 0.
        test: a `TokenSet`, perhaps of length 0; each text is one example, its windows are in `test.windows`.
        class_names: names of the classes.
        unknown_tokens_share: fraction of the tokens that the tokenizer does not know, 0 to 1, see `unknown_share`.
    """

    unknown_tokens_share: float = 0.0

    @property
    def cut_texts_share(self):
        """Fraction of the texts that were truncated, 0 to 1."""
        return sum(part.cut_texts for part in self._parts) / max(1, sum(len(part.first_rows) for part in self._parts))

    @property
    def cut_tokens_share(self):
        """Estimated fraction of the tokens that truncation removed, 0 to 1."""
        cut = sum(part.cut_tokens for part in self._parts)
        return cut / max(1, cut + sum(len(part.tokens) for part in self._parts))

    @property
    def _parts(self):
        return (self.train, self.validation, self.test)
