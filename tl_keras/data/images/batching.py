"""Batches for `fit`, `evaluate` and `predict`: shuffled and augmented anew in every epoch, and repeatable."""

import numpy as np
import tensorflow as tf

from tl_keras.data.images.augmentation import AUGMENTATIONS, augment
from tl_keras.data.labels import to_one_hot
from tl_keras.data.pipeline.pipeline_calls import call_python
from tl_keras.data.pipeline.step_dataset import dataset_of_steps, rows_of_shard, seed_of_shard
from tl_keras.errors import InputError, unknown_name


def make_dataset(image_set, batch_size, *, shuffle_seed=None, augmentation="none", first_epoch=0, views=1):
    """Makes batches of an `ImageSet`.

    Args:
        image_set: the images; at least one.
        batch_size: images per batch; the last batch of an epoch holds what is left.
        shuffle_seed: int; the dataset is then endless, `steps_per_epoch` batches per epoch, each epoch in another
            order. Order and augmentation are functions of (shuffle_seed, epoch, step) alone. None: one pass, in order.
        augmentation: a key of `AUGMENTATIONS`; all but "none" need a shuffle_seed. Shards draw for themselves.
        first_epoch: the epoch to begin with: the batches are those that a dataset begun at epoch 0 yields from
            there on.
        views: how many versions of every image the set holds, all images of one version after those of another; each
            epoch shows one version.

    Returns:
        A `dataset_of_steps` of (images, labels): images (batch, height, width, 3), RGB, 0 to 255, uint8 or, where
        augmented, float32 (arrays of another shape and dtype pass as they are); labels float32 (batch, num_classes),
        one-hot or multi-hot.

    Raises:
        InputError: the batch size is below 1, the set is empty, or the augmentation is unknown.
    """
    if not len(image_set):
        raise InputError("There are no images to make batches of: got an empty set, expected at least one image.")
    if augmentation not in AUGMENTATIONS:
        raise unknown_name("data.augmentation", augmentation, AUGMENTATIONS)
    if augmentation != "none" and shuffle_seed is None:
        raise ValueError(f"Invalid value for argument `shuffle_seed`. Received None, with {augmentation!r}.")
    count, steps = len(image_set) // views, steps_per_epoch(image_set, batch_size, views)
    shape, dtype, num_classes = image_set.images[0].shape, image_set.images[0].dtype, len(image_set.class_names)

    def build(bounds):
        def load(step, number):
            rows = rows_of_step(step, steps, batch_size, count, shuffle_seed) + (step // steps) % views * count
            rows, counting = rows_of_shard(rows, number, bounds)
            images, labels = call_python(read, [rows], [dtype, tf.float32])
            images.set_shape((None, *shape))
            labels.set_shape((None, num_classes))
            if augmentation != "none":
                seed = seed_of_shard(shuffle_seed, step, number, bounds)
                images, labels = augment(images, labels, augmentation, seed)
            return images[:counting], labels[:counting]

        return load, read

    def read(rows):
        return read_batch(image_set, rows)

    return dataset_of_steps(steps, build, first_epoch=first_epoch, endless=shuffle_seed is not None)


def steps_per_epoch(image_set, batch_size, views=1):
    """Returns the number of batches that hold every image once.

    Args:
        image_set: the images.
        batch_size: images per batch.
        views: how many versions of every image the set holds, of which an epoch shows one.

    Returns:
        An int.

    Raises:
        InputError: the batch size is below 1.
    """
    if batch_size < 1:
        raise InputError(f"data.batch_size is {batch_size}: expected 1 or more, such as 32.")
    return -(-(len(image_set) // views) // batch_size)


def read_batch(image_set, rows):
    """Reads images and labels.

    Args:
        image_set: the images.
        rows: int (k,), the rows to read.

    Returns:
        images: uint8 (k, height, width, 3).
        labels: float32 (k, num_classes), one-hot or multi-hot.
    """
    images = image_set.images
    batch = images[rows] if isinstance(images, np.ndarray) else np.stack([images[row] for row in rows])
    return batch, to_one_hot(image_set.labels[rows], len(image_set.class_names))


def rows_of_step(step, steps, batch_size, count, shuffle_seed):
    """Finds the rows of a step.

    Args:
        step: int64 tensor, counted from the first step of epoch 0.
        steps: steps per epoch.
        batch_size: rows per step; the last one of an epoch has what is left.
        count: number of rows.
        shuffle_seed: int that decides the order of every epoch; None: in order.

    Returns:
        int64 tensor (batch,).
    """
    start = (step % steps) * batch_size
    rows = tf.range(start, tf.minimum(start + batch_size, count))
    if shuffle_seed is None:
        return rows
    seed = tf.stack([tf.constant(shuffle_seed, tf.int64), step // steps])
    return tf.random.experimental.index_shuffle(rows, seed, tf.constant(count - 1, tf.int64))
