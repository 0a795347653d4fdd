from collections import Counter

import numpy as np
import pytest

from tl_keras.data.tokens.batch_plan import MAX_SHAPES, plan_batches
from tl_keras.data.tokens.sets import TokenSet
from tl_keras.errors import InputError


def make_set(lengths):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    count = len(lengths)
    tokens = np.zeros(offsets[-1], np.int32)
    return TokenSet(tokens, offsets, None, np.zeros(count, np.int32), [""] * count, [""] * count, ("a",), 0)


def draw(plan, epoch):
    return plan.batches(np.random.default_rng([0, epoch]))


LENGTHS = np.random.default_rng(0).geometric(0.05, 1003)


@pytest.mark.parametrize("tokens_per_batch", [None, 300])
@pytest.mark.parametrize("few_shapes", [False, True])
def test_every_epoch_has_every_text_once_in_the_same_shapes(tokens_per_batch, few_shapes):
    plan = plan_batches(make_set(LENGTHS), 16, tokens_per_batch=tokens_per_batch, few_shapes=few_shapes)
    for epoch in range(3):
        batches = draw(plan, epoch)
        assert sorted(np.concatenate([rows for rows, _ in batches])) == list(range(1003))
        assert Counter((len(rows), padded) for rows, padded in batches) == plan.shapes()
        assert all(LENGTHS[rows].max() <= padded for rows, padded in batches)
    assert (len(plan.shapes()) <= MAX_SHAPES) == few_shapes


def test_the_number_of_batches_is_minimal():
    assert sum(plan_batches(make_set(LENGTHS), 16).shapes().values()) == -(-1003 // 16)


@pytest.mark.parametrize(("few_shapes", "full"), [(True, 0.85), (False, 0.92)])
def test_little_padding(few_shapes, full):
    shapes = plan_batches(make_set(LENGTHS), 16, few_shapes=few_shapes).shapes()
    assert LENGTHS.sum() / sum(batch * length * count for (batch, length), count in shapes.items()) > full


@pytest.mark.parametrize("few_shapes", [True, False])
def test_members_and_order_differ_between_epochs(few_shapes):
    plan = plan_batches(make_set(LENGTHS), 16, few_shapes=few_shapes)
    first, second = ([tuple(rows) for rows, _ in draw(plan, epoch)] for epoch in (0, 1))
    # The longest texts are too few to mix.
    same = {tuple(sorted(rows)) for rows in first} & {tuple(sorted(rows)) for rows in second}
    assert len(same) <= 2
    lengths = [padded for _, padded in draw(plan, 0)]
    assert lengths != sorted(lengths) and lengths != [padded for _, padded in draw(plan, 1)]
    assert first == [tuple(rows) for rows, _ in draw(plan, 0)]


def test_batches_without_a_generator_are_sorted_by_length():
    rows = np.concatenate([rows for rows, _ in plan_batches(make_set(LENGTHS), 16).batches()])
    assert (np.diff(LENGTHS[rows]) >= 0).all()


def test_tokens_per_batch():
    shapes = plan_batches(make_set(LENGTHS), 16, tokens_per_batch=100).shapes()
    assert all(batch * length <= 100 or batch == 1 for batch, length in shapes)
    assert max(batch for batch, _ in shapes) > 5


def test_the_default_budget_limits_batches_of_long_texts_only():
    shapes = plan_batches(make_set(np.repeat([10, 200, 512], 64)), 16).shapes()
    assert shapes == {(16, 10): 4, (16, 200): 4, (8, 512): 8}


def test_texts_for_one_batch_have_one_bucket():
    assert len(plan_batches(make_set(LENGTHS[:31]), 16).padded_lengths) == 1


@pytest.mark.parametrize(
    ("lengths", "settings", "message"),
    [
        ([], {"batch_size": 2}, "no texts"),
        ([1], {"batch_size": 0}, "data.batch_size is 0"),
        ([1], {"batch_size": 1, "tokens_per_batch": 0}, "text.tokens_per_batch is 0"),
    ],
)
def test_bad_input(lengths, settings, message):
    with pytest.raises(InputError, match=message):
        plan_batches(make_set(np.array(lengths, int)), **settings)
