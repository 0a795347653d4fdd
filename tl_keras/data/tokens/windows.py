"""Splitting of long texts into consecutive windows that fit a model."""

from dataclasses import replace

import numpy as np

from tl_keras.data.tokens.format import ranges


def split_windows(token_set, token_format):
    """Splits the texts of a set into windows, as `models.with_text_input` does.

    Args:
        token_set: `TokenSet` of n texts, not pairs, of at most `token_format.max_total_tokens` tokens each.
        token_format: the `TokenFormat` of the set.

    Returns:
        `TokenSet` of the windows in order, at least one per text, with at most `token_format.max_tokens` tokens each.
        Each window has the label and the name of its text; `owners` are the numbers of the texts.
    """
    start, end = np.array(token_format.start_ids, np.int32), np.array(token_format.end_ids, np.int32)
    room = token_format.max_tokens - len(start) - len(end)
    sizes = token_set.lengths - len(start) - len(end)
    counts = np.maximum(1, -(-sizes // room))
    owners = np.repeat(np.arange(len(token_set)), counts)
    first = room * ranges(np.zeros_like(counts), counts)
    pool = np.concatenate([start, end, token_set.tokens])
    # The pieces of each window are the start, its own tokens and the end.
    text_starts = token_set.offsets[:-1][owners] + first + 2 * len(start) + len(end)
    starts = np.stack([np.zeros_like(first), text_starts, np.full_like(first, len(start))], axis=1)
    lengths = np.minimum(room, sizes[owners] - first)
    lengths = np.stack([np.full_like(first, len(start)), lengths, np.full_like(first, len(end))], axis=1)
    tokens = pool[ranges(starts.ravel(), lengths.ravel())]
    return replace(
        token_set,
        tokens=tokens,
        offsets=np.concatenate([[0], np.cumsum(lengths.sum(axis=1))]).astype(np.int64),
        segments=None if token_set.segments is None else np.zeros(len(tokens), np.int8),
        labels=None if token_set.labels is None else token_set.labels[owners],
        names=[token_set.names[owner] for owner in owners],
        texts=[token_set.texts[owner] for owner in owners],
        owners=owners,
    )
