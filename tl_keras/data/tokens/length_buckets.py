"""To which lengths texts are padded: few lengths, little padding."""

import numpy as np

# Lengths from which the padded ones are chosen; with more of them the choice is hardly better.
_MAX_CANDIDATES = 256


def choose_padded_lengths(lengths, batch_size, most):
    """Chooses padded lengths so that an epoch has the fewest padded tokens.

    What is left of a length after its last full batch goes into the next longer one, so that up to a length with C
    texts at most that long there are floor(C / batch_size) full batches. The cost of going from one padded length to
    the next is therefore known for every pair, and dynamic programming finds the cheapest way over at most `most`.

    Args:
        lengths: int64 (n,), tokens of each text; at least one text.
        batch_size: texts per batch.
        most: how many lengths there may be.

    Returns:
        tuple of int, ascending; the last is the length of the longest text (or 1).
    """
    candidates = np.unique(np.maximum(1, lengths))
    if len(candidates) > _MAX_CANDIDATES:
        quantiles = np.linspace(0, 1, _MAX_CANDIDATES)
        candidates = np.unique(np.quantile(np.maximum(1, lengths), quantiles, method="higher"))
    shorter = np.searchsorted(np.sort(lengths), candidates, side="right")
    # Texts in full batches up to each length; the first entry stands for no length at all.
    done = np.concatenate([[0], shorter // batch_size * batch_size])
    done[-1] = len(lengths)
    # costs[i + 1, j]: tokens of the batches padded to candidate j, where candidate i was chosen before; i = -1: none.
    costs = candidates * (done[1:] - done[:-1, None]).astype(float)
    costs[np.tril_indices_from(costs, -1)] = np.inf
    best, before = costs[0], []
    for _ in range(min(most, len(candidates)) - 1):
        totals = best[:-1, None] + costs[1:]
        before.append(np.where(totals.min(axis=0) < costs[0], totals.argmin(axis=0), -1))
        best = np.minimum(costs[0], totals.min(axis=0))
    return tuple(int(candidates[place]) for place in _way_back(before, len(candidates) - 1))


def _way_back(before, place):
    chosen = [place]
    for candidates in reversed(before):
        place = candidates[place]
        if place < 0:
            break
        chosen.append(place)
    return chosen[::-1]
