"""Plans of batches of texts with similar lengths, drawn anew in each epoch with the same batch shapes."""

from dataclasses import dataclass

import numpy as np

from tl_keras.data.tokens.length_buckets import choose_padded_lengths
from tl_keras.errors import InputError

MAX_SHAPES = 12
"""Maximum number of batch shapes if each costs a compilation.

With 12 shapes, 10 % of the positions are padding for short reviews, with 8 shapes 15 %.
"""

# By default, texts of up to this many tokens come in full batches.
_TOKENS_PER_TEXT = 256


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """Assignment of the texts of a set to buckets of similar length, from which batches are drawn.

    Attributes:
        padded_lengths: tuple of k int, ascending, the number of tokens to which texts of each bucket are padded.
        batch_sizes: tuple of k int, the number of texts in a full batch of each bucket.
        buckets: list of k int64 arrays, the rows of each bucket, sorted by length. A text is in the first bucket that
            is long enough.
    """

    padded_lengths: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    buckets: list[np.ndarray]

    def batches(self, generator=None):
        """Draws the batches of an epoch.

        Texts of a bucket that do not fill a batch move to the next longer bucket. So the number of batches of each
        shape is the same in every epoch, and only the last bucket may have a smaller batch.

        Args:
            generator: `np.random.Generator` that draws members and order; None: sorted by length.

        Returns:
            List of (rows, padded length): int64 (batch,) and int.
        """
        batches, remaining = [], np.zeros(0, np.int64)
        last = self.padded_lengths[-1]
        for padded, size, members in zip(self.padded_lengths, self.batch_sizes, self.buckets, strict=True):
            rows = np.concatenate([remaining, members])
            if generator is not None:
                rows = generator.permutation(rows)
            end = len(rows) if padded == last else len(rows) // size * size
            batches += [(rows[start : min(start + size, end)], padded) for start in range(0, end, size)]
            remaining = rows[end:]
        if generator is None:
            return batches
        return [batches[index] for index in generator.permutation(len(batches))]

    def shapes(self):
        """Counts the batches of an epoch by shape.

        Returns:
            dict from (batch, padded length) to the number of batches.
        """
        shapes = {}
        for rows, padded in self.batches():
            shapes[len(rows), padded] = shapes.get((len(rows), padded), 0) + 1
        return shapes


def plan_batches(token_set, batch_size, *, tokens_per_batch=None, few_shapes=False):
    """Sorts the texts of a set into buckets of similar length.

    Args:
        token_set: `TokenSet`, at least one text.
        batch_size: maximum number of texts per batch.
        tokens_per_batch: maximum number of tokens per batch, with padding; longer texts get a batch of their own. None:
            256 * batch_size, which only makes batches of long texts smaller.
        few_shapes: True limits the batch shapes to `MAX_SHAPES`, because with XLA each shape costs a compilation.

    Returns:
        `BatchPlan`.

    Raises:
        InputError: the set is empty, or a number is below 1.
    """
    if not len(token_set):
        raise InputError("There are no texts to make batches of: got an empty set, expected at least one text.")
    if batch_size < 1:
        raise InputError(f"data.batch_size is {batch_size}: expected 1 or more, such as 32.")
    if tokens_per_batch is not None and tokens_per_batch < 1:
        raise InputError(f"text.tokens_per_batch is {tokens_per_batch}: expected 1 or more, such as 8192.")
    lengths = token_set.lengths
    budget = tokens_per_batch or _TOKENS_PER_TEXT * batch_size
    max_lengths = max(1, len(lengths) // batch_size)
    max_lengths = min(MAX_SHAPES, max_lengths) if few_shapes else max_lengths
    plan = _plan(lengths, batch_size, budget, choose_padded_lengths(lengths, batch_size, max_lengths))
    if few_shapes and len(plan.shapes()) > MAX_SHAPES:
        # The last batch is smaller, which adds a shape.
        plan = _plan(lengths, batch_size, budget, choose_padded_lengths(lengths, batch_size, max_lengths - 1))
    return plan


def _plan(lengths, batch_size, budget, padded_lengths):
    sizes = tuple(max(1, min(batch_size, budget // length)) for length in padded_lengths)
    order = np.argsort(lengths, kind="stable")
    ends = np.searchsorted(lengths[order], padded_lengths, side="right")
    return BatchPlan(padded_lengths, sizes, np.split(order, ends[:-1]))
