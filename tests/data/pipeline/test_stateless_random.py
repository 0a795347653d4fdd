import numpy as np
import tensorflow as tf

from tl_keras.data.pipeline.stateless_random import StatelessSeeds


def draws(seed, count=3):
    seeds = StatelessSeeds(tf.constant(seed, tf.int64))
    return np.array([seeds.next().numpy() for _ in range(count)])


def test_seeds_are_a_function_of_the_seed_and_their_number():
    np.testing.assert_array_equal(draws([1, 2]), draws([1, 2]))


def test_every_draw_and_every_seed_differ():
    rows = np.concatenate([draws([1, 2]), draws([1, 3]), draws([2, 2])])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_seeds_beyond_32_bits_are_taken():
    assert draws([2**40 + 1, 2**62]).dtype == np.int32
