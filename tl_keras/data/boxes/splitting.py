"""Splits of images with boxes into training, validation and test."""

from dataclasses import replace

import numpy as np

from tl_keras.data.records import Records
from tl_keras.data.splitting import split_records
from tl_keras.errors import InputError


def split_boxes(records, *, validation_fraction=0.15, test_fraction=0.15, max_train_images=None, seed=0):
    """Assigns a split to every image that has none, as `split_records` does for multi-label images.

    Splits of the data are kept. A split that the data lack is drawn from "train", so that rare classes are in all
    splits where possible.

    Args:
        records: `BoxRecords`.
        validation_fraction: fraction that becomes "validation" if no image is, 0 to below 1.
        test_fraction: fraction that becomes "test" if no image is, 0 to below 1.
        max_train_images: maximum number of training images, drawn at random; None keeps all.
        seed: int, for shuffling.

    Returns:
        New `BoxRecords` in the same order, without undecided splits.

    Raises:
        InputError: a number is out of range, or validation or test has a class that train lacks.
    """
    if max_train_images is not None and max_train_images < 1:
        raise InputError(f"data.max_train_images is {max_train_images}: expected 1 or more, or none for all.")
    rows = [str(row) for row in range(len(records))]
    images = Records(records.sources, rows, records.multi_hot_labels(), records.splits, records.class_names)
    images = split_records(images, validation_fraction=validation_fraction, test_fraction=test_fraction, seed=seed)
    train = images.rows("train")
    left_out = np.random.default_rng(seed).permutation(train)[max_train_images:] if max_train_images else []
    return replace(records, splits=images.splits).take(np.setdiff1d(np.arange(len(records)), left_out))
