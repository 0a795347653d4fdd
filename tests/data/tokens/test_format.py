import numpy as np
import pytest

from tl_keras.data.tokens.format import TokenFormat, arrange_tokens, ranges
from tl_keras.errors import InputError

BERT = {"start_ids": (101,), "separator_ids": (102,), "end_ids": (103,), "has_segments": True}


def arrange(first, second=None, **settings):
    arrays = [np.array(ids, np.int32) for ids in first]
    others = None if second is None else [np.array(ids, np.int32) for ids in second]
    tokens, lengths, segments, cut = arrange_tokens(arrays, others, TokenFormat(**BERT | settings))
    assert tokens.dtype == np.int32 and segments.dtype == np.int8 and len(tokens) == len(segments)
    ends = np.cumsum(lengths)[:-1]
    return [part.tolist() for part in np.split(tokens, ends)], [part.tolist() for part in np.split(segments, ends)], cut


def test_single_texts():
    texts, segments, cut = arrange([[1, 2], [], [3]])
    assert texts == [[101, 1, 2, 103], [101, 103], [101, 3, 103]]
    assert segments == [[0] * 4, [0] * 2, [0] * 3] and cut.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("head", list(range(8))), ("tail", list(range(2, 10))), ("head_tail", [0, 1, 4, 5, 6, 7, 8, 9])],
)
def test_truncation(truncation, expected):
    texts, _, cut = arrange([range(10), range(8)], max_tokens=10, truncation=truncation)
    assert texts == [[101, *expected, 103], [101, *range(8), 103]] and cut.tolist() == [2, 0]


def test_pairs():
    texts, segments, _ = arrange([[1, 2], [3]], [[4], [5, 6]])
    assert texts == [[101, 1, 2, 102, 4, 103], [101, 3, 102, 5, 6, 103]]
    assert segments == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]


def test_the_longer_text_of_a_pair_loses_tokens_one_by_one():
    sizes = [(first, second) for first in range(9) for second in range(9)]
    texts, _, cut = arrange([[1] * first for first, _ in sizes], [[2] * second for _, second in sizes], max_tokens=10)
    for (first, second), ids, lost in zip(sizes, texts, cut, strict=True):
        expected = [first, second]
        while sum(expected) > 7:
            expected[0 if expected[0] > expected[1] else 1] -= 1
        assert [ids.count(1), ids.count(2)] == expected and lost == first + second - sum(expected)


def test_several_special_tokens_and_no_start():
    texts, _, _ = arrange([[1]], [[2]], start_ids=(), separator_ids=(8, 9), end_ids=(7, 7))
    assert texts == [[1, 8, 9, 2, 7, 7]]


def test_ranges():
    assert ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"truncation": "haed"}, "text.truncation 'haed': did you mean 'head'"),
        ({"max_tokens": 4}, "text.max_tokens is 4: expected 5 or more, for 3 of them"),
        ({"windows": 0}, "text.windows is 0: expected 1 or more"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(InputError, match=message):
        TokenFormat(**BERT | settings)


def test_windows_allow_longer_texts():
    texts, _, cut = arrange([range(20), range(3)], max_tokens=6, windows=3)
    assert TokenFormat(**BERT, max_tokens=6, windows=3).max_total_tokens == 14
    assert texts == [[101, *range(12), 103], [101, 0, 1, 2, 103]] and cut.tolist() == [8, 0]


def test_pairs_with_windows_are_refused():
    with pytest.raises(InputError, match="text.windows is 2: expected 1 for pairs"):
        arrange([[1]], [[2]], windows=2)
