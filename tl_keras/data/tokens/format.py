"""Arrangement of token ids for a model: special tokens, segments and truncation, for one text or two.

To avoid loops over texts and tokens, every text is a row of pieces, each a range of one flat array of ids.
"""

from dataclasses import dataclass

import numpy as np

from tl_keras.errors import InputError, unknown_name

TRUNCATIONS = ("head", "tail", "head_tail")

# Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", section 5.3.1: the first 128 and the last 382 of
# 510 tokens were best.
_HEAD_DIVISOR = 4


@dataclass(frozen=True)
class TokenFormat:
    """Token format of a model: special tokens, maximum length and truncation.

    Attributes:
        start_ids: ids before the first text, such as the id of [CLS].
        separator_ids: ids between the two texts of a pair.
        end_ids: ids after the last text.
        pad_id: id of the padding.
        has_segments: True if the model distinguishes the tokens of the two texts.
        max_tokens: maximum number of tokens of an example, with special tokens.
        truncation: part to keep of a text that is too long: "head", "tail", or "head_tail" (a quarter from the head,
            three quarters from the tail).
        windows: maximum number of rows of `max_tokens` that a long text is split into; longer texts are truncated. Only
            for single texts.
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
    def max_total_tokens(self):
        """Maximum number of tokens of a text over all its windows, with special tokens once."""
        special = len(self.start_ids) + len(self.end_ids)
        return self.max_tokens + (self.windows - 1) * (self.max_tokens - special)

    def __post_init__(self):
        """Checks the values.

        Raises:
            InputError: the truncation is unknown, `max_tokens` leaves no room for text, or `windows` is below 1.
        """
        if self.truncation not in TRUNCATIONS:
            raise unknown_name("text.truncation", self.truncation, TRUNCATIONS)
        special = len(self.start_ids) + len(self.separator_ids) + len(self.end_ids)
        if self.max_tokens < special + 2:
            raise InputError(
                f"text.max_tokens is {self.max_tokens}: expected {special + 2} or more, for {special} of them are "
                "special tokens."
            )
        if self.windows < 1:
            raise InputError(f"text.windows is {self.windows}: expected 1 or more.")


def arrange_tokens(first, second, token_format):
    """Truncates texts and adds special tokens.

    Args:
        first: list of int32 arrays, the ids of each text without special tokens.
        second: list of int32 arrays for the second text of each pair; None: no pairs.
        token_format: `TokenFormat`.

    Returns:
        tokens: int32 (total,), all examples one after the other.
        lengths: int64 (n,), the number of tokens of each example.
        segments: int8 (total,), 1 for the second text of a pair and the end.
        cut: int64 (n,), the number of tokens that were removed from each example.

    Raises:
        InputError: the texts are pairs and the format has windows.
    """
    if second is not None and token_format.windows > 1:
        raise InputError(f"text.windows is {token_format.windows}: expected 1 for pairs of texts.")
    parts = [first] if second is None else [first, second]
    special = [token_format.start_ids, token_format.end_ids, token_format.separator_ids if second is not None else ()]
    sizes = np.array([[len(ids) for ids in part] for part in parts], np.int64)
    new_sizes = _truncated_sizes(sizes, token_format.max_total_tokens - sum(map(len, special)))
    pool = np.concatenate([*(np.array(ids, np.int32) for ids in special), *(ids for part in parts for ids in part)])
    text_starts = sum(map(len, special)) + np.cumsum(sizes).reshape(sizes.shape) - sizes
    pieces = [_special_piece(special, 0, len(first))]
    for number, (start, size, new_size) in enumerate(zip(text_starts, sizes, new_sizes, strict=True)):
        if number:
            pieces.append(_special_piece(special, 2, len(first)))
        pieces += _text_pieces(start, size, new_size, token_format.truncation)
    pieces.append(_special_piece(special, 1, len(first)))
    starts, counts = (np.stack(columns, axis=1) for columns in zip(*pieces, strict=True))
    # Start, head and tail of the first text, separator; then head and tail of the second text, and the end.
    segment_of_piece = np.array([0] * len(pieces) if second is None else [0, 0, 0, 0, 1, 1, 1], np.int8)
    segments = np.repeat(np.tile(segment_of_piece, len(first)), counts.ravel())
    tokens = pool[ranges(starts.ravel(), counts.ravel())].astype(np.int32)
    return tokens, counts.sum(axis=1), segments, (sizes - new_sizes).sum(axis=0)


def ranges(starts, counts):
    """Concatenates ranges of integers.

    Args:
        starts: int64 (k,), the first number of each range.
        counts: int64 (k,), the length of each range.

    Returns:
        int64 (sum of counts,).
    """
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def _truncated_sizes(sizes, room):
    """Returns the number of tokens of each text after truncation, in the shape of `sizes`, (1, n) or (2, n).

    The longer text of a pair loses tokens one by one until both fit, as in BERT (Devlin et al. 2018).
    """
    if len(sizes) == 1:
        return np.minimum(sizes, room)
    second = np.minimum(sizes[1], np.maximum(room - sizes[0], room // 2))
    return np.stack([np.minimum(sizes[0], room - second), second])


def _text_pieces(starts, sizes, new_sizes, truncation):
    """Returns (starts, counts) of the head and of the tail that stay of each text."""
    heads = {"head": new_sizes, "tail": np.zeros_like(new_sizes), "head_tail": new_sizes // _HEAD_DIVISOR}[truncation]
    tails = new_sizes - heads
    return [(starts, heads), (starts + sizes - tails, tails)]


def _special_piece(special, number, count):
    """Returns (starts, counts) of special tokens, which are the same in every example."""
    start = sum(map(len, special[:number]))
    return np.full(count, start), np.full(count, len(special[number]))
