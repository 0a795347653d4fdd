"""Datasets of numbered steps, of each of which a worker loads its own shard alone, not the whole batch."""

import tensorflow as tf

from tl_keras.data.pipeline.pipeline_calls import holding


def dataset_of_steps(steps, build, *, first_epoch=0, endless=False):
    """Makes a dataset of what is loaded for each step, in order.

    Args:
        steps: number of steps in an epoch.
        build: function of `bounds`, itself None or a function of (size, number) that says from where to where a batch
            of that size has the rows of the shard of that number. It returns a function of (step, number), int64
            scalar tensors, that loads a batch, or of it what the bounds say; and the function that this one gives to
            `call_python`.
        first_epoch: the epoch to begin with.
        endless: whether epochs follow one another without end; else there is one pass.

    Returns:
        `tf.data.Dataset`. Its `cut`, a function of (first, count, bounds), gives a dataset of so many shards of each
        step from the first on, one after another.
    """
    numbers = tf.data.Dataset.range(first_epoch * steps, tf.int64.max if endless else steps)

    def loaded(numbered, bounds):
        load, function = build(bounds)
        return holding(numbered.map(load, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE), function)

    def cut(first, count, bounds):
        shards = tf.data.Dataset.range(first, first + count)
        return loaded(numbers.flat_map(lambda step: shards.map(lambda number: (step, number))), bounds)

    dataset = loaded(numbers.map(lambda step: (step, tf.constant(0, tf.int64))), None)
    dataset.cut = cut
    return dataset


def rows_of_shard(rows, number, bounds):
    """Takes the rows of a shard; of an empty one a row to go on with, for not every operation takes none.

    Args:
        rows: int64 tensor (batch,), at least one.
        number: int64 scalar tensor, the number of the shard.
        bounds: as in `dataset_of_steps`; None takes all rows.

    Returns:
        Tuple of the rows and how many of them count.
    """
    if bounds is None:
        return rows, tf.shape(rows, tf.int64)[0]
    start, end = bounds(tf.shape(rows, tf.int64)[0], number)
    return rows[start : tf.maximum(end, start + 1)], end - start


def seed_of_shard(seed, step, number, bounds):
    """Gives what the augmentation of a step, or of a shard of it, draws from.

    Args:
        seed: int.
        step: int64 scalar tensor.
        number: int64 scalar tensor, the number of the shard.
        bounds: as in `dataset_of_steps`.

    Returns:
        int64 tensor (2,).
    """
    whole = tf.stack([tf.constant(seed, tf.int64), step])
    return whole if bounds is None else tf.random.experimental.stateless_fold_in(whole, number)
