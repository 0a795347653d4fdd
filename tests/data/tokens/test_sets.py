import numpy as np
import pytest

from tl_keras.data.tokens.sets import TokenSet, TokenSplits


def make_set(lengths, **cut):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    count = len(lengths)
    return TokenSet(
        np.arange(offsets[-1]), offsets, None, np.zeros(count, int), [""] * count, [""] * count, ("a",), 0, **cut
    )


def test_lengths():
    token_set = make_set([3, 0, 2])
    assert len(token_set) == 3 and token_set.lengths.tolist() == [3, 0, 2]


def test_fractions_are_over_all_splits():
    splits = TokenSplits(make_set([30, 30], cut_texts=1, cut_tokens=20), make_set([10]), make_set([10]), ("a",))
    assert splits.cut_texts_share == pytest.approx(1 / 4)
    assert splits.cut_tokens_share == pytest.approx(20 / 100)


def test_windows_count_once_per_text():
    windows = make_set([4, 4, 2, 3, 4, 1], owners=np.array([0, 0, 0, 1, 2, 2]), cut_texts=1)
    assert windows.first_rows.tolist() == [0, 3, 4] and make_set([1, 2]).first_rows.tolist() == [0, 1]
    assert TokenSplits(windows, make_set([1]), make_set([]), ("a",)).cut_texts_share == 1 / 4


def test_fractions_of_empty_splits():
    splits = TokenSplits(make_set([]), make_set([]), make_set([]), ("a",))
    assert splits.cut_texts_share == splits.cut_tokens_share == 0
