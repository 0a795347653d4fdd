"""Texts as the input of a frozen part."""

from dataclasses import dataclass

import numpy as np

from tl_keras.data import TokenFeatures, TokenSet, read_token_inputs, token_batches


@dataclass(frozen=True, eq=False)
class TokenSource:
    """Iterates over a set of texts in batches of similar length.

    Attributes:
        token_set: `TokenSet` of n texts.
        batch_size: maximum number of texts per batch, at least 1.
        tokens_per_batch: see `plan_batches`.
        few_shapes: see `plan_batches`.
    """

    token_set: TokenSet
    batch_size: int
    tokens_per_batch: int | None = None
    few_shapes: bool = False

    target_shape = None
    """Always None: the labels stay unchanged."""

    @property
    def num_examples(self):
        """Number of texts."""
        return len(self.token_set)

    def num_rows(self, per_token):
        """Returns the number of rows to store: one per token if `per_token`, else one per text."""
        return len(self.token_set.tokens) if per_token else len(self.token_set)

    def batches(self):
        """Yields (inputs, None, mask) for every batch, short texts first; mask: bool (batch, tokens)."""
        for _, inputs in self._batches():
            yield inputs, None, inputs["padding_mask"].astype(bool)

    def sample(self, count):
        """Returns the inputs of at most `count` texts of median length."""
        order = np.argsort(self.token_set.lengths, kind="stable")
        start = max(0, (len(order) - count) // 2)
        rows = order[start : start + count]
        return read_token_inputs(self.token_set, rows, int(self.token_set.lengths[rows].max()))

    def key_parts(self):
        """Returns everything that determines the values, as parts of `activation_key`."""
        texts = self.token_set
        return {
            "tokens": texts.tokens,
            "offsets": texts.offsets,
            "segments": texts.segments,
            "pad_id": texts.pad_id,
            "batch_size": self.batch_size,
            "tokens_per_batch": self.tokens_per_batch,
        }

    def wrap(self, values, targets, per_token):
        """Wraps cached activations in the form that a phase reads.

        Args:
            values: array (rows, width) in the order of `batches`.
            targets: ignored.
            per_token: True if there is a row per token, False if there is a row per text.

        Returns:
            `TokenFeatures`.
        """
        order = np.concatenate([rows for rows, _ in self._batches()])
        sizes = self.token_set.lengths[order] if per_token else np.ones(len(order), np.int64)
        starts = np.empty(len(order), np.int64)
        starts[order] = np.cumsum(sizes) - sizes
        return TokenFeatures(values, starts, per_token)

    def _batches(self):
        return token_batches(
            self.token_set, self.batch_size, tokens_per_batch=self.tokens_per_batch, few_shapes=self.few_shapes
        )
