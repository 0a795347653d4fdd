"""Stateless seeds for Keras's random layers, whose draws then depend on a seed only."""

import keras
import tensorflow as tf


class StatelessSeeds(keras.random.SeedGenerator):
    """Generates seeds of which the n-th is a function of (seed, n).

    Keras's own generator counts in a variable, so draws in a `tf.data` map would depend on the number of earlier
    batches, and in parallel maps on their order.

    Args:
        seed: int32 or int64 (2,).
    """

    def __init__(self, seed):
        """Stores the seed; does not call Keras's constructor, which creates the variable."""
        self.seed = tf.cast(tf.math.floormod(seed, tf.int32.max), tf.int32)
        self.drawn = 0

    def next(self, ordered=True):
        """Returns the next seed, int32 (2,); `ordered` has no effect."""
        seed = tf.random.experimental.stateless_fold_in(self.seed, self.drawn)
        self.drawn += 1
        return seed
