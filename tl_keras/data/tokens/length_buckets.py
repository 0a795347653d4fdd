"""Choice of a few padded lengths with minimal padding."""

import numpy as np

# More candidate lengths hardly improve the result.
_MAX_CANDIDATES = 256


def choose_padded_lengths(lengths, batch_size, max_lengths):
    """Chooses padded lengths so that an epoch has the fewest tokens after padding.

    Texts that do not fill a batch move to the next longer padded length, so that C texts of at most some padded length
    make floor(C / batch_size) full batches. The cost between two consecutive padded lengths is therefore known for
    every pair, and dynamic programming finds the cheapest sequence of at most `max_lengths` lengths.

    Args:
        lengths: int64 (n,), the number of tokens of each text; at least one text.
        batch_size: texts per batch.
        max_lengths: maximum number of padded lengths.

    Returns:
        Tuple of int, ascending; the last is the length of the longest text (at least 1).
    """
    candidates = np.unique(np.maximum(1, lengths))
    if len(candidates) > _MAX_CANDIDATES:
        quantiles = np.linspace(0, 1, _MAX_CANDIDATES)
        candidates = np.unique(np.quantile(np.maximum(1, lengths), quantiles, method="higher"))
    shorter = np.searchsorted(np.sort(lengths), candidates, side="right")
    # Number of texts in full batches up to each length, after a 0 for the start.
    batched = np.concatenate([[0], shorter // batch_size * batch_size])
    batched[-1] = len(lengths)
    # costs[i + 1, j]: tokens of the batches padded to candidate j if candidate i is the previous one; i = -1: none is.
    costs = candidates * (batched[1:] - batched[:-1, None]).astype(float)
    costs[np.tril_indices_from(costs, -1)] = np.inf
    best, previous = costs[0], []
    for _ in range(min(max_lengths, len(candidates)) - 1):
        totals = best[:-1, None] + costs[1:]
        previous.append(np.where(totals.min(axis=0) < costs[0], totals.argmin(axis=0), -1))
        best = np.minimum(costs[0], totals.min(axis=0))
    return tuple(int(candidates[index]) for index in _trace_back(previous, len(candidates) - 1))


def _trace_back(previous, index):
    indices = [index]
    for predecessors in reversed(previous):
        index = predecessors[index]
        if index < 0:
            break
        indices.append(index)
    return indices[::-1]
