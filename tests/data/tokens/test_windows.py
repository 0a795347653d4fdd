import numpy as np
import pytest

from tl_keras.data.tokens.format import TokenFormat
from tl_keras.data.tokens.sets import TokenSet
from tl_keras.data.tokens.windows import split_windows


def make_set(texts, segments=None):
    lengths = [len(ids) for ids in texts]
    return TokenSet(
        tokens=np.concatenate([np.array(ids, np.int32) for ids in texts]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        segments=segments,
        labels=np.arange(len(texts), dtype=np.int32),
        names=[f"line {number}" for number in range(len(texts))],
        texts=["x" * length for length in lengths],
        class_names=("a", "b", "c"),
        pad_id=0,
    )


@pytest.mark.parametrize("special", [((1,), (2,)), ((), ()), ((8, 9), (7,))])
def test_long_texts_become_windows_and_short_texts_stay_whole(special):
    start, end = map(list, special)
    room = 6 - len(start) - len(end)
    words = [list(range(10, 10 + 3 * room - 1)), [], list(range(50, 50 + room)), list(range(70, 71 + room))]
    token_set = make_set([start + ids + end for ids in words])
    windows = split_windows(token_set, TokenFormat(special[0], (), special[1], max_tokens=6, windows=3))
    expected = [ids[first : first + room] for ids in words for first in range(0, max(1, len(ids)), room)]
    rows = np.split(windows.tokens, windows.offsets[1:-1])
    assert [ids.tolist() for ids in rows] == [start + ids + end for ids in expected]
    assert windows.owners.tolist() == windows.labels.tolist() == [0, 0, 0, 1, 2, 3, 3]
    assert windows.first_rows.tolist() == [0, 3, 4, 5]
    assert windows.names[:4] == ["line 0"] * 3 + ["line 1"] and windows.texts[5] == token_set.texts[3]
    assert windows.tokens.dtype == np.int32 and windows.segments is None


def test_segments_and_unknown_labels():
    token_set = make_set([[1, 5, 5, 5, 2]], np.zeros(5, np.int8))
    token_set = split_windows(token_set, TokenFormat((1,), (), (2,), max_tokens=4, windows=2))
    assert token_set.segments.tolist() == [0] * len(token_set.tokens) == [0] * 7
