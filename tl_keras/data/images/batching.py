"""Reproducible batches for `fit`, `evaluate` and `predict`, shuffled and augmented anew in each epoch."""

import functools

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
        batch_size: images per batch; the last batch of an epoch may be smaller.
        shuffle_seed: int; the dataset is then endless, with `steps_per_epoch` batches per epoch and another order in
            each epoch. Order and augmentation depend on (shuffle_seed, epoch, step) only. None: one pass in order.
        augmentation: a key of `AUGMENTATIONS`; all but "none" need a shuffle_seed. Each shard draws independently.
        first_epoch: the epoch to start with; the batches equal those of a dataset that started at epoch 0.
        views: number of versions of every image in the set, stored one version after another; each epoch shows one.

    Returns:
        A `dataset_of_steps` of (images, labels): images (batch, height, width, 3), RGB, 0 to 255, uint8, or float32 if
        augmented (other arrays keep their shape and dtype); labels float32 (batch, num_classes), one-hot or multi-hot.

    Raises:
        InputError: the batch size is below 1, the set is empty, or the augmentation is unknown.
    """
    check_batch_arguments(image_set, augmentation, AUGMENTATIONS, shuffle_seed)

    def finish(images, labels, seed):
        return (images, labels) if augmentation == "none" else augment(images, labels, augmentation, seed)

    read = functools.partial(read_batch, image_set)
    return dataset_of_rows(image_set, batch_size, read, finish, shuffle_seed, first_epoch, views)


def dataset_of_rows(image_set, batch_size, read, finish, shuffle_seed, first_epoch, views):
    """Makes batches of the rows of a set, of images or of images with boxes.

    Args:
        image_set: the images; at least one.
        batch_size: as in `make_dataset`.
        read: function from rows, int (k,), to a tuple of arrays (k, ...).
        finish: function from the tensors of these arrays and the seed of the batch, int64 (2,), or None without a
            shuffle_seed, to the batch.
        shuffle_seed: as in `make_dataset`.
        first_epoch: as in `make_dataset`.
        views: as in `make_dataset`.

    Returns:
        A `dataset_of_steps` of the batches.

    Raises:
        InputError: the batch size is below 1.
    """
    steps = steps_per_epoch(image_set, batch_size, views)
    # The first row shows the shapes and the dtypes of all batches.
    pattern = read([0])
    types = [array.dtype for array in pattern]

    def build(bounds):
        def load(step, number):
            rows = rows_of_step(step, image_set, batch_size, shuffle_seed, views)
            rows, count = rows_of_shard(rows, number, bounds)
            arrays = call_python(read, [rows], types)
            for array, example in zip(arrays, pattern, strict=True):
                array.set_shape((None, *example.shape[1:]))
            seed = None if shuffle_seed is None else seed_of_shard(shuffle_seed, step, number, bounds)
            return tf.nest.map_structure(lambda tensor: tensor[:count], finish(*arrays, seed))

        return load, read

    return dataset_of_steps(steps, build, first_epoch=first_epoch, endless=shuffle_seed is not None)


def check_batch_arguments(image_set, augmentation, augmentations, shuffle_seed):
    """Checks the arguments that batches of images and batches of boxes share.

    Args:
        image_set: the images.
        augmentation: name of the augmentation.
        augmentations: dict of the valid names.
        shuffle_seed: int or None.

    Raises:
        InputError: the set is empty, or the augmentation is unknown.
        ValueError: the augmentation needs a seed.
    """
    if not len(image_set):
        raise InputError("There are no images to make batches of: got an empty set, expected at least one image.")
    if augmentation not in augmentations:
        raise unknown_name("data.augmentation", augmentation, augmentations)
    if augmentation != "none" and shuffle_seed is None:
        raise ValueError(f"Invalid value for argument `shuffle_seed`. Received None, with {augmentation!r}.")


def steps_per_epoch(image_set, batch_size, views=1):
    """Computes the number of batches in an epoch.

    Args:
        image_set: the images.
        batch_size: images per batch.
        views: number of versions of every image in the set; an epoch shows one.

    Returns:
        int.

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
    return read_images(image_set.images, rows), to_one_hot(image_set.labels[rows], len(image_set.class_names))


def read_images(images, rows):
    """Reads images from memory or from files.

    Args:
        images: array (n, ...) or `ImageFiles`.
        rows: int (k,), the rows to read.

    Returns:
        Array (k, ...).
    """
    return images[rows] if isinstance(images, np.ndarray) else np.stack([images[row] for row in rows])


def rows_of_step(step, image_set, batch_size, shuffle_seed, views=1):
    """Computes the rows of a step.

    Args:
        step: int64 tensor, counted from the first step of epoch 0.
        image_set: the images.
        batch_size: rows per step; the last step of an epoch may have fewer.
        shuffle_seed: int that determines the order of each epoch; None: in order.
        views: number of versions of every image in the set; an epoch shows one.

    Returns:
        int64 tensor (batch,).
    """
    count, steps = len(image_set) // views, steps_per_epoch(image_set, batch_size, views)
    start, epoch = (step % steps) * batch_size, step // steps
    rows = tf.range(start, tf.minimum(start + batch_size, count))
    if shuffle_seed is not None:
        seed = tf.stack([tf.constant(shuffle_seed, tf.int64), epoch])
        rows = tf.random.experimental.index_shuffle(rows, seed, tf.constant(count - 1, tf.int64))
    return rows + epoch % views * count
