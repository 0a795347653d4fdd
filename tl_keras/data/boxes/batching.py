"""Reproducible batches of images with padded boxes, shuffled and augmented anew in each epoch."""

import functools

import numpy as np
import tensorflow as tf

from tl_keras.data.boxes.augmentation import BOX_AUGMENTATIONS, augment_boxes
from tl_keras.data.images.batching import check_batch_arguments, dataset_of_rows, read_images
from tl_keras.errors import InputError, counted


def make_box_dataset(box_set, batch_size, *, max_boxes, shuffle_seed=None, augmentation="none", first_epoch=0, views=1):
    """Makes batches of a `BoxSet`.

    Args:
        box_set: the images; at least one.
        batch_size: images per batch; the last batch of an epoch may be smaller.
        max_boxes: number of boxes per image after padding, see `max_boxes_per_image`.
        shuffle_seed: int; the dataset is then endless, with `steps_per_epoch` batches per epoch and another order in
            each epoch. Order and augmentation depend on (shuffle_seed, epoch, step) only. None: one pass in order.
        augmentation: a key of `BOX_AUGMENTATIONS`; all but "none" need a shuffle_seed. Each shard draws independently.
        first_epoch: the epoch to start with; the batches equal those of a dataset that started at epoch 0.
        views: number of versions of every image in the set, stored one version after another; each epoch shows one.

    Returns:
        A `dataset_of_steps` of (images, targets): images (batch, side, side, 3), RGB, 0 to 255, uint8, or float32 if
        augmented (other arrays keep their shape and dtype); targets a dict of `boxes`, float32 (batch, max_boxes, 4),
        left, top, right, bottom in pixels, padded with zeros, and `labels`, int32 (batch, max_boxes), padded with -1.

    Raises:
        InputError: the batch size is below 1, the set is empty, the augmentation is unknown, or an image has more than
            `max_boxes` boxes.
    """
    _check(box_set, max_boxes, augmentation, shuffle_seed)

    def finish(images, boxes, labels, seed):
        if augmentation != "none":
            images, boxes, labels = augment_boxes(images, boxes, labels, augmentation, seed)
            boxes, labels = tf.ensure_shape(boxes, (None, max_boxes, 4)), tf.ensure_shape(labels, (None, max_boxes))
        return images, {"boxes": boxes, "labels": labels}

    read = functools.partial(read_box_batch, box_set, max_boxes=max_boxes)
    return dataset_of_rows(box_set, batch_size, read, finish, shuffle_seed, first_epoch, views)


def read_box_batch(box_set, rows, max_boxes):
    """Reads images and boxes.

    Args:
        box_set: the images.
        rows: int (k,), the rows to read.
        max_boxes: number of boxes per image after padding.

    Returns:
        images: uint8 (k, side, side, 3).
        boxes: float32 (k, max_boxes, 4), padded with zeros.
        labels: int32 (k, max_boxes), padded with -1.
    """
    images = read_images(box_set.images, rows)
    boxes, labels = np.zeros((len(rows), max_boxes, 4), np.float32), np.full((len(rows), max_boxes), -1, np.int32)
    for place, row in enumerate(rows):
        count = len(box_set.labels[row])
        boxes[place, :count], labels[place, :count] = box_set.boxes[row], box_set.labels[row]
    return images, boxes, labels


def max_boxes_per_image(*box_sets, augmentation="none"):
    """Counts the boxes of the image with the most boxes, the number that batches are padded to.

    Args:
        box_sets: any number of `BoxSet`.
        augmentation: a key of `BOX_AUGMENTATIONS`; a mosaic may have the boxes of four images.

    Returns:
        int, the maximum after augmentation, at least 1.
    """
    maximum = max([1, *(len(labels) for box_set in box_sets for labels in box_set.labels)])
    return 4 * maximum if BOX_AUGMENTATIONS[augmentation].mosaic else maximum


def _check(box_set, max_boxes, augmentation, shuffle_seed):
    check_batch_arguments(box_set, augmentation, BOX_AUGMENTATIONS, shuffle_seed)
    needed = max_boxes_per_image(box_set)
    if needed > max_boxes:
        fullest = max(range(len(box_set)), key=lambda row: len(box_set.labels[row]))
        raise InputError(
            f"max_boxes is {max_boxes}, but the image {box_set.names[fullest]} has {counted(needed, 'box')}: expected "
            f"{needed} or more."
        )
