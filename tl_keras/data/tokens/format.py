"""How token ids of one text or two become what a model reads: special tokens, segments, and what goes if too long.

Nothing here loops over texts or tokens: every text is a row of pieces, each a range in one flat array of ids.
"""

from dataclasses import dataclass

import numpy as np

from tl_keras.errors import InputError, unknown_name

TRUNCATIONS = ("head", "tail", "head_tail")

# Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", section 5.3.1: of 510 tokens the first 128 and
# the last 382 served best.
_HEAD_SHARE = 4


@dataclass(frozen=True)
class TokenFormat:
    """What a model wants around and between the tokens of texts.

    Attributes:
        start_ids: ids before the first text, such as that of [CLS].
        separator_ids: ids between the two texts of a pair.
        end_ids: ids after the last text.
        pad_id: what fills up a batch.
        has_segments: the model is told which tokens are those of the second text.
        max_tokens: the most tokens of an example, special ones included.
        truncation: what stays of a text that is too long: its "head", its "tail", or of both, "head_tail" (a quarter
            and three quarters).
        windows: into how many rows of `max_tokens` a text is split that needs them; it is cut where it does not fit
            into all of them. Only for single texts.
    """

    start_ids: tuple[int, ...] = ()
    separator_ids: tuple[int, ...] = ()
    end_ids: tuple[int, ...] = ()
    pad_id: int = 0
    has_segments: bool = False
    max_tokens: int = 512
    truncation: str = "head"
    windows: int = 1

    @property
    def most_tokens(self):
        """The most tokens of a text over all its windows, with special ones once."""
        special = len(self.start_ids) + len(self.end_ids)
        return self.max_tokens + (self.windows - 1) * (self.max_tokens - special)

    def __post_init__(self):
        """Checks the values.

        Raises:
            InputError: the truncation is unknown, special tokens leave no room for others, or windows are below 1.
        """
        if self.truncation not in TRUNCATIONS:
            raise unknown_name("text.truncation", self.truncation, TRUNCATIONS)
        special = len(self.start_ids) + len(self.separator_ids) + len(self.end_ids)
        if self.max_tokens < special + 2:
            raise InputError(
                f"text.max_tokens is {self.max_tokens}: expected {special + 2} or more, for {special} of them go to "
                "special tokens."
            )
        if self.windows < 1:
            raise InputError(f"text.windows is {self.windows}: expected 1 or more.")


def arrange_tokens(first, second, token_format):
    """Cuts and joins the ids of texts.

    Args:
        first: list of int32 arrays, the ids of each text without special tokens.
        second: the same for the second text of each pair; None: no pairs.
        token_format: `TokenFormat`.

    Returns:
        tokens: int32 (total,), all examples one after the other.
        lengths: int64 (n,), the tokens of each.
        segments: int8 (total,).
        cut: int64 (n,), the tokens that were left out of each.

    Raises:
        InputError: pairs are to be split into windows.
    """
    if second is not None and token_format.windows > 1:
        raise InputError(f"text.windows is {token_format.windows}: expected 1 for pairs of texts.")
    parts = [first] if second is None else [first, second]
    special = [token_format.start_ids, token_format.end_ids, token_format.separator_ids if second is not None else ()]
    sizes = np.array([[len(ids) for ids in part] for part in parts], np.int64)
    kept = _kept(sizes, token_format.most_tokens - sum(map(len, special)))
    pool = np.concatenate([*(np.array(ids, np.int32) for ids in special), *(ids for part in parts for ids in part)])
    places = sum(map(len, special)) + np.cumsum(sizes).reshape(sizes.shape) - sizes
    pieces = [_fixed(special, 0, len(first))]
    for number, (place, size, keep) in enumerate(zip(places, sizes, kept, strict=True)):
        if number:
            pieces.append(_fixed(special, 2, len(first)))
        pieces += _pieces(place, size, keep, token_format.truncation)
    pieces.append(_fixed(special, 1, len(first)))
    starts, counts = (np.stack(columns, axis=1) for columns in zip(*pieces, strict=True))
    # Start, two pieces of the first text, what separates; then the second text and the end, which belongs to it.
    segment_of_piece = np.array([0] * len(pieces) if second is None else [0, 0, 0, 0, 1, 1, 1], np.int8)
    segments = np.repeat(np.tile(segment_of_piece, len(first)), counts.ravel())
    tokens = pool[ranges(starts.ravel(), counts.ravel())].astype(np.int32)
    return tokens, counts.sum(axis=1), segments, (sizes - kept).sum(axis=0)


def ranges(starts, counts):
    """Joins ranges of numbers.

    Args:
        starts: int64 (k,), the first number of each range.
        counts: int64 (k,), how many numbers each has.

    Returns:
        int64 (sum of counts,).
    """
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def _kept(sizes, room):
    """Returns how many tokens of each text stay, in the shape of `sizes`, (1, n) or (2, n).

    Of a pair the longer one loses tokens until both fit, as if it were done one by one: Devlin et al. 2018, BERT.
    """
    if len(sizes) == 1:
        return np.minimum(sizes, room)
    second = np.minimum(sizes[1], np.maximum(room - sizes[0], room // 2))
    return np.stack([np.minimum(sizes[0], room - second), second])


def _pieces(places, sizes, kept, truncation):
    """Returns (starts, counts) of the two pieces that stay of each text: one from its head, one from its tail."""
    head = {"head": kept, "tail": np.zeros_like(kept), "head_tail": kept // _HEAD_SHARE}[truncation]
    tail = kept - head
    return [(places, head), (places + sizes - tail, tail)]


def _fixed(special, number, count):
    """Returns (starts, counts) of a piece that is the same in every example."""
    start = sum(map(len, special[:number]))
    return np.full(count, start), np.full(count, len(special[number]))
