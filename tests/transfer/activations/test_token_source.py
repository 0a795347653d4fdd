import numpy as np
import pytest

from tl_keras.data import TokenSet
from tl_keras.transfer import TokenSource

LENGTHS = np.array([3, 9, 1, 5])


@pytest.fixture
def token_set():
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    return TokenSet(np.arange(1, 19, dtype="int32"), offsets, None, np.zeros(4, "int32"), [""] * 4, [""] * 4, ("a",), 0)


def test_every_token_comes_once(token_set):
    tokens = [inputs["token_ids"][mask] for inputs, _, mask in TokenSource(token_set, 2).batches()]
    np.testing.assert_array_equal(np.sort(np.concatenate(tokens)), token_set.tokens)


def test_rows_are_counted_by_token_or_by_text(token_set):
    source = TokenSource(token_set, 2)
    assert (source.num_rows(True), source.num_rows(False), source.num_examples) == (18, 4, 4)


@pytest.mark.parametrize("per_token", [True, False])
def test_rows_in_batch_order_are_found_by_text(token_set, per_token):
    source = TokenSource(token_set, 2)
    rows = [
        inputs["token_ids"][mask] if per_token else inputs["token_ids"][:, 0] for inputs, _, mask in source.batches()
    ]
    wrapped = source.wrap(np.concatenate(rows), None, per_token)
    np.testing.assert_array_equal(wrapped.values[wrapped.starts], token_set.tokens[token_set.offsets[:-1]])


@pytest.mark.parametrize(("few_shapes", "count"), [(False, 20), (True, 12)])
def test_few_shapes_limits_the_number_of_batch_shapes(few_shapes, count):
    lengths = np.arange(1, 41)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens, names = np.ones(offsets[-1], "int32"), [""] * 40
    token_set = TokenSet(tokens, offsets, None, np.zeros(40, "int32"), names, names, ("a",), 0)
    batches = TokenSource(token_set, 2, few_shapes=few_shapes).batches()
    assert len({mask.shape for _, _, mask in batches}) == count


def test_the_sample_has_median_length(token_set):
    assert TokenSource(token_set, 2).sample(2)["token_ids"].shape == (2, 5)
    assert TokenSource(token_set, 2).sample(9)["token_ids"].shape == (4, 9)


def test_a_changed_token_changes_the_key_parts(token_set):
    before = TokenSource(token_set, 2).key_parts()["tokens"].copy()
    token_set.tokens[0] = 7
    assert (TokenSource(token_set, 2).key_parts()["tokens"] != before).any()
