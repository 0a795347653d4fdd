import itertools

import numpy as np
import pytest

from tl_keras.data.tokens.length_buckets import choose_padded_lengths


def padded_tokens(lengths, batch_size, padded_lengths):
    """Counts the tokens of an epoch of full batches, whose remaining texts move to the next length."""
    total = remaining = previous = 0
    for length in padded_lengths:
        remaining += int(((lengths > previous) & (lengths <= length)).sum())
        full = remaining if length == padded_lengths[-1] else remaining // batch_size * batch_size
        total, remaining, previous = total + full * length, remaining - full, length
    return total


@pytest.mark.parametrize("max_lengths", [1, 2, 3, 4])
@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_no_other_choice_has_fewer_tokens(max_lengths, batch_size):
    lengths = np.random.default_rng(batch_size).geometric(0.15, 60)
    chosen = choose_padded_lengths(lengths, batch_size, max_lengths)
    *others, longest = np.unique(lengths)
    choices = [
        (*some, longest)
        for count in range(max_lengths)
        for some in itertools.combinations(others, min(count, len(others)))
    ]
    best = min(padded_tokens(lengths, batch_size, choice) for choice in choices)
    assert len(chosen) <= max_lengths and chosen[-1] == longest and list(chosen) == sorted(chosen)
    assert padded_tokens(lengths, batch_size, chosen) == best


def test_many_different_lengths_are_sampled():
    lengths = np.random.default_rng(0).integers(1, 5000, 20_000)
    chosen = choose_padded_lengths(lengths, 32, 8)
    assert len(chosen) == 8 and chosen[-1] == lengths.max()
    assert padded_tokens(lengths, 32, chosen) < 1.16 * lengths.sum()


@pytest.mark.parametrize(("lengths", "expected"), [([5, 5, 5], (5,)), ([0, 0], (1,)), ([1], (1,))])
def test_equal_and_empty_texts(lengths, expected):
    assert choose_padded_lengths(np.array(lengths), 2, 8) == expected
