import itertools

import ml_dtypes
import numpy as np
import pytest

from tl_keras.data.tokens.batching import (
    TokenFeatures,
    batch_shapes,
    make_token_dataset,
    token_batches,
    token_steps_per_epoch,
)
from tl_keras.data.tokens.sets import TokenSet

COUNT = 90


def make_set(segments=False, labels=None):
    """Makes texts whose tokens all are their row; the label is the row modulo 3."""
    lengths = np.random.default_rng(0).geometric(0.1, COUNT)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    tokens = np.repeat(np.arange(COUNT), lengths).astype(np.int32)
    labels = np.arange(COUNT, dtype=np.int32) % 3 if labels is None else labels
    names = [str(row) for row in range(COUNT)]
    return TokenSet(
        tokens, offsets, (tokens % 2).astype(np.int8) if segments else None, labels, names, names, ("a", "b", "c"), -1
    )


def batches(dataset, count=None):
    return [(inputs, labels.numpy()) for inputs, labels in itertools.islice(dataset, count)]


def rows_of(inputs):
    return inputs["token_ids"][:, 0].numpy().tolist()


def test_one_pass_has_every_token_in_its_place():
    token_set = make_set()
    seen = []
    for inputs, labels in batches(make_token_dataset(token_set, 8)):
        ids, mask = inputs["token_ids"].numpy(), inputs["padding_mask"].numpy()
        assert ids.dtype == np.int32 and mask.dtype == np.int32 and labels.dtype == np.float32
        rows = ids[:, 0]
        np.testing.assert_array_equal(mask.sum(axis=1), token_set.lengths[rows])
        np.testing.assert_array_equal(ids, np.where(mask, rows[:, None], -1))
        np.testing.assert_array_equal(labels.argmax(axis=1), rows % 3)
        seen += rows.tolist()
    assert sorted(seen) == list(range(COUNT))


def test_segments():
    for inputs, _ in batches(make_token_dataset(make_set(segments=True), 8)):
        ids = inputs["token_ids"].numpy()
        np.testing.assert_array_equal(inputs["segment_ids"], np.where(ids >= 0, ids % 2, 0))
        assert inputs["segment_ids"].dtype == "int32"
    assert "segment_ids" not in make_token_dataset(make_set(), 8).element_spec[0]


def test_multi_label():
    labels = (np.arange(COUNT)[:, None] % np.array([1, 2, 3]) == 0).astype(np.uint8)
    for inputs, batch_labels in batches(make_token_dataset(make_set(labels=labels), 8)):
        np.testing.assert_array_equal(batch_labels, labels[rows_of(inputs)])


def test_static_shapes():
    inputs, labels = make_token_dataset(make_set(), 8, shuffle_seed=0).element_spec
    assert inputs["token_ids"].shape.as_list() == [None, None] and labels.shape.as_list() == [None, 3]


def test_shapes_and_steps_are_as_computed():
    token_set = make_set()
    steps = token_steps_per_epoch(token_set, 8)
    shapes_of_steps = [
        inputs["token_ids"].shape for inputs, _ in batches(make_token_dataset(token_set, 8, shuffle_seed=1), 2 * steps)
    ]
    shapes = batch_shapes(token_set, 8)
    for epoch in (shapes_of_steps[:steps], shapes_of_steps[steps:]):
        assert {shape: epoch.count(shape) for shape in set(map(tuple, epoch))} == shapes


def test_the_order_depends_on_epoch_and_seed():
    token_set = make_set()
    steps = token_steps_per_epoch(token_set, 8)
    order = [rows_of(inputs) for inputs, _ in batches(make_token_dataset(token_set, 8, shuffle_seed=1), 2 * steps)]
    again = [rows_of(inputs) for inputs, _ in batches(make_token_dataset(token_set, 8, shuffle_seed=1), steps)]
    other = [rows_of(inputs) for inputs, _ in batches(make_token_dataset(token_set, 8, shuffle_seed=2), steps)]
    assert order[:steps] == again != other
    assert order[:steps] != order[steps:]
    assert sorted(sum(order[:steps], [])) == sorted(sum(order[steps:], [])) == list(range(COUNT))


def test_a_later_first_epoch_gives_the_same_batches():
    token_set = make_set()
    steps = token_steps_per_epoch(token_set, 8)
    whole = batches(make_token_dataset(token_set, 8, shuffle_seed=5), 3 * steps)
    resumed = batches(make_token_dataset(token_set, 8, shuffle_seed=5, first_epoch=2), steps)
    for (expected, _), (inputs, _) in zip(whole[2 * steps :], resumed, strict=True):
        np.testing.assert_array_equal(inputs["token_ids"], expected["token_ids"])


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16])
def test_features_per_token_have_the_batches_of_the_tokens(dtype, tmp_path):
    token_set = make_set()
    values = np.repeat(token_set.tokens[:, None], 4, axis=1).astype(dtype)
    features = TokenFeatures(values, token_set.offsets[:-1], per_token=True)
    plain = batches(make_token_dataset(token_set, 8, shuffle_seed=3), 20)
    stored = batches(make_token_dataset(token_set, 8, shuffle_seed=3, features=features), 20)
    for (inputs, labels), ((hidden, mask), same_labels) in zip(plain, stored, strict=True):
        np.testing.assert_array_equal(mask, inputs["padding_mask"])
        expected = np.where(mask, inputs["token_ids"], 0)[..., None] * np.ones(4)
        assert hidden.dtype == dtype
        np.testing.assert_array_equal(hidden.numpy().astype(np.float32), expected)
        np.testing.assert_array_equal(same_labels, labels)


def test_features_per_text_from_a_file(tmp_path):
    token_set = make_set()
    values = np.memmap(tmp_path / "values", np.float32, "w+", shape=(COUNT, 2, 3))
    values[:] = np.arange(COUNT)[:, None, None]
    dataset = make_token_dataset(token_set, 8, shuffle_seed=3, features=TokenFeatures(values, np.arange(COUNT), False))
    assert dataset.element_spec[0].shape.as_list() == [None, 2, 3]
    plain = make_token_dataset(token_set, 8, shuffle_seed=3)
    for (hidden, _), (inputs, _) in zip(batches(dataset, 12), batches(plain, 12), strict=True):
        assert hidden[:, 0, 0].numpy().tolist() == rows_of(inputs)


def test_predictions_can_be_put_back_into_order():
    token_set = make_set(labels=np.zeros(0))
    predictions = np.full(COUNT, -1)
    for rows, inputs in token_batches(token_set, 8):
        predictions[rows] = inputs["token_ids"].max(axis=1)
    assert predictions.tolist() == list(range(COUNT))
