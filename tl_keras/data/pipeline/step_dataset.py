"""Datasets of numbered steps, from which a worker loads only its own shard of each batch."""

import os

import tensorflow as tf

from tl_keras.data.pipeline.pipeline_calls import hold_function

MAX_PARALLEL_STEPS = 16
"""Maximum number of batches that are loaded side by side, fewer on machines with fewer cores; each takes memory."""
PREFETCHED = 2
"""Loaded batches that wait for the model."""


def dataset_of_steps(steps, build, *, first_epoch=0, endless=False):
    """Makes a dataset of batches, one for each step.

    Args:
        steps: number of steps in an epoch.
        build: function of `bounds` that returns two functions: one of (step, number), int64 scalar tensors, that loads
            the batch of a step, or if there are bounds, its shard of that number; and the function that the first one
            passes to `call_python`. `bounds` is None, or a function from the size of a batch and the number of a shard
            to the first row of the shard and the row after its last.
        first_epoch: the epoch to start with.
        endless: True for endless epochs, False for one pass.

    Returns:
        `tf.data.Dataset`. Its attribute `cut`, a function of (first, count, bounds), makes a dataset of `count` shards
        of each step, from shard `first` on, one after another.
    """
    numbers = tf.data.Dataset.range(first_epoch * steps, tf.int64.max if endless else steps)

    def load_batches(numbers, load, function):
        batches = numbers.map(load, num_parallel_calls=min(os.cpu_count(), MAX_PARALLEL_STEPS)).prefetch(PREFETCHED)
        return hold_function(_without_autotuning(batches), function)

    def cut(first, count, bounds):
        shards = tf.data.Dataset.range(first, first + count)
        return load_batches(numbers.flat_map(lambda step: shards.map(lambda number: (step, number))), *build(bounds))

    load, function = build(None)
    dataset = load_batches(numbers, lambda step: load(step, tf.constant(0, tf.int64)), function)
    dataset.cut = cut
    return dataset


def _without_autotuning(dataset):
    """Turns autotuning off: in TensorFlow 2.21, letting go of an autotuned iterator often waits a second for it."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def rows_of_shard(rows, number, bounds):
    """Selects the rows of a shard.

    An empty shard gets one row, because some operations fail on empty batches; the caller drops it afterwards.

    Args:
        rows: int64 tensor (batch,), at least one.
        number: int64 scalar tensor, the number of the shard.
        bounds: as in `dataset_of_steps`; None selects all rows.

    Returns:
        rows: int64 tensor, at least one.
        count: int64 scalar tensor, the number of rows that belong to the shard.
    """
    if bounds is None:
        return rows, tf.shape(rows, tf.int64)[0]
    start, end = bounds(tf.shape(rows, tf.int64)[0], number)
    return rows[start : tf.maximum(end, start + 1)], end - start


def seed_of_shard(seed, step, number, bounds):
    """Computes the seed for the augmentation of a step or of its shard.

    Args:
        seed: int.
        step: int64 scalar tensor.
        number: int64 scalar tensor, the number of the shard.
        bounds: as in `dataset_of_steps`.

    Returns:
        int64 tensor (2,).
    """
    step_seed = tf.stack([tf.constant(seed, tf.int64), step])
    return step_seed if bounds is None else tf.random.experimental.stateless_fold_in(step_seed, number)
