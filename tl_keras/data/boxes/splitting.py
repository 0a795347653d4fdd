"""Which image with boxes is for training, which for validation, which for the test."""

from dataclasses import replace

import numpy as np

from tl_keras.data.records import Records
from tl_keras.data.splitting import split_records
from tl_keras.errors import InputError


def split_boxes(records, *, validation_fraction=0.15, test_fraction=0.15, max_train_images=None, seed=0):
    """Decides every split that the data do not decide themselves, as `split_records` does for multi-label images.

    Whole images go to a split: given splits stay; a split that nobody gave is carved out of "train", so that the
    rarest classes are shared out too.

    Args:
        records: `BoxRecords`.
        validation_fraction: part that becomes "validation" if no image is, 0 <= fraction < 1.
        test_fraction: part that becomes "test" if no image is, 0 <= fraction < 1.
        max_train_images: cuts "train" to this many images, drawn from the seed; None keeps all.
        seed: int, of the shuffling.

    Returns:
        New `BoxRecords`, in the old order, in which every split is decided.

    Raises:
        InputError: a number out of range, or a class that validation or test show and train does not.
    """
    if max_train_images is not None and max_train_images < 1:
        raise InputError(f"data.max_train_images is {max_train_images}: expected 1 or more, or none for all.")
    rows = [str(row) for row in range(len(records))]
    images = Records(records.sources, rows, records.classes_shown(), records.splits, records.class_names)
    decided = split_records(
        images, validation_fraction=validation_fraction, test_fraction=test_fraction, seed=seed
    ).splits
    train = np.flatnonzero(np.array(decided, object) == "train")
    left_out = np.random.default_rng(seed).permutation(train)[max_train_images:] if max_train_images else []
    kept = np.setdiff1d(np.arange(len(records)), left_out)
    return replace(records, splits=decided).take(kept)
