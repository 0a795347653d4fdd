import numpy as np

from tests.data.tokens.test_sets import make_set
from tl_keras.data.tokens.unknown import unknown_share


def test_special_tokens_do_not_count():
    # The tokens of a set are 0, 1, 2, ...
    assert unknown_share([make_set([4, 2]), make_set([4])], 2, (0, 3)) == 2 / 6


def test_nothing_is_unknown_without_tokens_or_to_bytes():
    assert unknown_share([make_set([])], 1, (0,)) == 0
    assert unknown_share([make_set([5])], None, (0,)) == 0
    assert isinstance(unknown_share([make_set([3])], np.int32(1), (0,)), float)
