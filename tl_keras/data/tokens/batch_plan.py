"""Which texts make a batch: those of like length, drawn anew in every epoch, always in as many batches of a size."""

from dataclasses import dataclass

import numpy as np

from tl_keras.data.tokens.length_buckets import choose_padded_lengths
from tl_keras.errors import InputError

MAX_SHAPES = 12
"""Where each shape costs a compilation; with 12 of them padding is 10 % of short reviews, with 8 it is 15 %."""

# Without a word on tokens per batch, texts up to this many tokens come in batches of full size.
_TOKENS_PER_TEXT = 256


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """How the texts of a set become batches.

    Attributes:
        padded_lengths: tuple of k int, ascending: to how many tokens the texts of each bucket are padded.
        batch_sizes: tuple of k int: how many texts make a full batch of each bucket.
        buckets: list of k int64 arrays: the rows whose length a bucket is the first to hold, sorted by length.
    """

    padded_lengths: tuple[int, ...]
    batch_sizes: tuple[int, ...]
    buckets: list[np.ndarray]

    def batches(self, generator=None):
        """Draws the batches of an epoch.

        What a bucket cannot fill a batch with goes on into the next longer one. So the number of batches of each shape
        is the same in every epoch, and only the last bucket may have one that is not full.

        Args:
            generator: `np.random.Generator` that draws members and order; None: sorted by length.

        Returns:
            list of (rows, padded length): int64 (batch,) and int.
        """
        found, carried = [], np.zeros(0, np.int64)
        last = self.padded_lengths[-1]
        for padded, size, members in zip(self.padded_lengths, self.batch_sizes, self.buckets, strict=True):
            waiting = np.concatenate([carried, members])
            if generator is not None:
                waiting = generator.permutation(waiting)
            end = len(waiting) if padded == last else len(waiting) // size * size
            found += [(waiting[start : min(start + size, end)], padded) for start in range(0, end, size)]
            carried = waiting[end:]
        if generator is None:
            return found
        return [found[place] for place in generator.permutation(len(found))]

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
    """Sorts the texts of a set into buckets, those of about one batch into each.

    Args:
        token_set: `TokenSet`, at least one text.
        batch_size: the most texts per batch.
        tokens_per_batch: the most tokens per batch, padding included; a text that has more makes a batch of its own.
            None: 256 * batch_size, which only batches of longer texts are cut by.
        few_shapes: whether each shape costs a compilation, as it does with XLA: no more than `MAX_SHAPES` then.

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
    most = max(1, len(lengths) // batch_size)
    most = min(MAX_SHAPES, most) if few_shapes else most
    plan = _plan(lengths, batch_size, budget, choose_padded_lengths(lengths, batch_size, most))
    if few_shapes and len(plan.shapes()) > MAX_SHAPES:
        # The last batch is not full, which makes one shape more.
        plan = _plan(lengths, batch_size, budget, choose_padded_lengths(lengths, batch_size, most - 1))
    return plan


def _plan(lengths, batch_size, budget, padded_lengths):
    sizes = tuple(max(1, min(batch_size, budget // length)) for length in padded_lengths)
    order = np.argsort(lengths, kind="stable")
    ends = np.searchsorted(lengths[order], padded_lengths, side="right")
    return BatchPlan(padded_lengths, sizes, np.split(order, ends[:-1]))
