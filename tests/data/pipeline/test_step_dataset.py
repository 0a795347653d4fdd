import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.data.boxes.test_batching import make_set as make_box_set
from tests.data.tokens.test_batching import make_set as make_token_set
from tl_keras import data
from tl_keras.data.pipeline.step_dataset import dataset_of_steps, rows_of_shard, seed_of_shard

SHARDS = 3
DATASETS = {
    "boxes": lambda: data.make_box_dataset(make_box_set(), 4, max_boxes=3, shuffle_seed=0),
    "tokens": lambda: data.make_token_dataset(make_token_set(segments=True), 8, shuffle_seed=0),
}


def bounds(size, number):
    return size * number // SHARDS, size * (number + 1) // SHARDS


def test_whole_steps_and_shards_come_in_order():
    def build(bounds):
        return lambda step, number: 10 * step + (0 if bounds is None else number), None

    dataset = dataset_of_steps(3, build, first_epoch=1, endless=True)
    assert list(dataset.take(3).as_numpy_iterator()) == [30, 40, 50]
    assert list(dataset.cut(1, 2, bounds).take(6).as_numpy_iterator()) == [31, 32, 41, 42, 51, 52]
    assert list(dataset_of_steps(3, build).as_numpy_iterator()) == [0, 10, 20]


@pytest.mark.parametrize("name", DATASETS)
def test_nothing_waits_for_autotuning(name):
    dataset = DATASETS[name]()
    for batches in (dataset, dataset.take(1), dataset.cut(1, 1, bounds)):
        assert batches.options().autotune.enabled is False


@pytest.mark.parametrize("name", DATASETS)
def test_the_shards_of_a_step_make_its_batch(name):
    dataset, steps = DATASETS[name](), 5
    shards = iter(dataset.cut(0, SHARDS, bounds))
    for whole in itertools.islice(dataset, steps):
        parts = [tf.nest.flatten(next(shards)) for _ in range(SHARDS)]
        for tensor, *own in zip(tf.nest.flatten(whole), *parts, strict=True):
            assert max(map(len, own)) - min(map(len, own)) <= 1
            np.testing.assert_array_equal(np.concatenate(own), tensor)


def test_an_empty_shard_gets_a_row_that_does_not_count():
    rows, count = rows_of_shard(tf.constant([7], tf.int64), tf.constant(0, tf.int64), bounds)
    assert (rows.numpy().tolist(), int(count)) == ([7], 0)
    rows, count = rows_of_shard(tf.constant([7, 8], tf.int64), tf.constant(0, tf.int64), None)
    assert (rows.numpy().tolist(), int(count)) == ([7, 8], 2)


def test_each_shard_has_its_own_seed():
    step = tf.constant(5, tf.int64)
    seeds = [tuple(seed_of_shard(3, step, tf.constant(number, tf.int64), bounds).numpy()) for number in range(SHARDS)]
    assert len(set(seeds)) == SHARDS
    assert seed_of_shard(3, step, tf.constant(0, tf.int64), None).numpy().tolist() == [3, 5]
