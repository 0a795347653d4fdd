import keras
import numpy as np
import tensorflow as tf

from tl_keras.data.pipeline.stateless_random import StatelessSeeds


def draws(seed, count=3):
    seeds = StatelessSeeds(tf.constant(seed, tf.int64))
    return np.array([seeds.next().numpy() for _ in range(count)])


def test_draws_depend_on_seed_and_count():
    np.testing.assert_array_equal(draws([1, 2]), draws([1, 2]))


def test_draws_differ_between_counts_and_seeds():
    rows = np.concatenate([draws([1, 2]), draws([1, 3]), draws([2, 2])])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_seeds_beyond_32_bits():
    assert draws([2**40 + 1, 2**62]).dtype == np.int32
    assert keras.random.uniform((2,), seed=StatelessSeeds(tf.constant([2**40, 5], tf.int64))).shape == (2,)
