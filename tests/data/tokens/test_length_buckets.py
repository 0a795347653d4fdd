import itertools

import numpy as np
import pytest

from tl_keras.data.tokens.length_buckets import choose_padded_lengths


def padded_tokens(lengths, batch_size, chosen):
    """Plays an epoch: full batches of each length, what is left goes on."""
    total = waiting = begun = 0
    for length in chosen:
        waiting += int(((lengths > begun) & (lengths <= length)).sum())
        full = waiting if length == chosen[-1] else waiting // batch_size * batch_size
        total, waiting, begun = total + full * length, waiting - full, length
    return total


@pytest.mark.parametrize("most", [1, 2, 3, 4])
@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_the_choice_is_the_best_of_all(most, batch_size):
    lengths = np.random.default_rng(batch_size).geometric(0.15, 60)
    chosen = choose_padded_lengths(lengths, batch_size, most)
    *others, longest = np.unique(lengths)
    every = [
        (*some, longest) for count in range(most) for some in itertools.combinations(others, min(count, len(others)))
    ]
    best = min(padded_tokens(lengths, batch_size, choice) for choice in every)
    assert len(chosen) <= most and chosen[-1] == longest and list(chosen) == sorted(chosen)
    assert padded_tokens(lengths, batch_size, chosen) == best


def test_many_different_lengths_are_thinned_out():
    lengths = np.random.default_rng(0).integers(1, 5000, 20_000)
    chosen = choose_padded_lengths(lengths, 32, 8)
    assert len(chosen) == 8 and chosen[-1] == lengths.max()
    assert padded_tokens(lengths, 32, chosen) < 1.16 * lengths.sum()


@pytest.mark.parametrize(("lengths", "expected"), [([5, 5, 5], (5,)), ([0, 0], (1,)), ([1], (1,))])
def test_equal_and_empty_texts(lengths, expected):
    assert choose_padded_lengths(np.array(lengths), 2, 8) == expected
