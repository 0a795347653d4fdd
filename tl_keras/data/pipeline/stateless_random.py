"""Keras's random layers without their memory: what they draw depends on a given seed and on nothing else."""

import keras
import tensorflow as tf


class StatelessSeeds(keras.random.SeedGenerator):
    """A seed generator whose n-th seed is a function of (seed, n).

    Keras's own counts in a variable, so what a `tf.data` map draws would depend on how many batches were drawn
    before, and in parallel maps on their order.

    Args:
        seed: int32 or int64 (2,).
    """

    def __init__(self, seed):
        """Keeps the seed; Keras's constructor, which makes the variable, is left out on purpose."""
        self.seed = tf.cast(tf.math.floormod(seed, tf.int32.max), tf.int32)
        self.drawn = 0

    def next(self, ordered=True):
        """Returns the next seed, int32 (2,); both orders are the same here."""
        seed = tf.random.experimental.stateless_fold_in(self.seed, self.drawn)
        self.drawn += 1
        return seed
