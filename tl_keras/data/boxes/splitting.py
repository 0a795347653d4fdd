"""Splits of images with boxes into training, validation and test."""

from dataclasses import replace

import numpy as np

from tl_keras.data.images.equal_files import group_equal_files
from tl_keras.data.records import Records
from tl_keras.data.splitting import split_records
from tl_keras.errors import InputError, counted


def split_boxes(records, *, validation_fraction=0.15, test_fraction=0.15, max_train_images=None, seed=0):
    """Assigns a split to every image that has none, as `split_records` does for multi-label images.

    Splits of the data are kept. A split that the data lack is drawn from "train", so that rare classes are in all
    splits where possible; duplicates of an image are drawn into one split.

    Args:
        records: `BoxRecords`.
        validation_fraction: fraction that becomes "validation" if no image is, 0 to below 1.
        test_fraction: fraction that becomes "test" if no image is, 0 to below 1.
        max_train_images: maximum number of training images, drawn at random, one or more of each class; None: all.
        seed: int, for shuffling.

    Returns:
        New `BoxRecords` in the same order, without undecided splits.

    Raises:
        InputError: a number is out of range or too small to show each class, or validation or test has a class that
            train lacks.
    """
    if max_train_images is not None and max_train_images < 1:
        raise InputError(f"data.max_train_images is {max_train_images}: expected 1 or more, or none for all.")
    rows = [str(row) for row in range(len(records))]
    images = Records(records.sources, rows, records.multi_hot_labels(), records.splits, records.class_names)
    images = split_records(
        images,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        groups=group_equal_files(records.sources),
    )
    train = np.random.default_rng(seed).permutation(images.rows("train"))
    if max_train_images and max_train_images > len(train):
        note = (
            f"data.max_train_images is {max_train_images}, but there are only {counted(len(train), 'training image')}."
        )
        records = replace(records, notes=(*records.notes, note))
    left_out = _over_maximum(train, images.labels, max_train_images) if max_train_images else []
    return replace(records, splits=images.splits).take(np.setdiff1d(np.arange(len(records)), left_out))


def _over_maximum(rows, labels, max_train_images):
    """Returns the last of the rows, those over the maximum; rows that first show a class count as the first."""
    shown, first = np.zeros(labels.shape[1], bool), []
    for row in rows:
        if (labels[row].astype(bool) & ~shown).any():
            first.append(row)
            shown |= labels[row].astype(bool)
    if len(first) > max_train_images:
        raise InputError(
            f"data.max_train_images {max_train_images} is too small to show all {counted(int(shown.sum()), 'class')}: "
            f"expected {len(first)} or more."
        )
    return [*first, *rows[~np.isin(rows, first)]][max_train_images:]
