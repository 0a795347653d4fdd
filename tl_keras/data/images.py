"""Images and labels ready for training: each file decoded once, checked, and kept where memory allows."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from tl_keras.data.decoding import BadImage, read_image
from tl_keras.data.listing import first_of
from tl_keras.data.records import SPLITS
from tl_keras.errors import InputError, unknown_name

__all__ = ["ImageFiles", "ImageSet", "ImageSplits", "load_image_splits", "read_image"]


@dataclass(frozen=True)
class ImageFiles:
    """Images that are read at each access: what stands in for an array that would not fit into memory.

    Attributes:
        sources: path or encoded image (bytes) of each.
        image_size: height and width in pixels.
        resize: "squash", "crop" or "pad", as in `read_image`.
    """

    sources: list[str | bytes]
    image_size: int
    resize: str = "squash"

    def __len__(self):
        """Returns the number of images."""
        return len(self.sources)

    def __getitem__(self, row):
        """Reads one image, uint8 (image_size, image_size, 3)."""
        return read_image(self.sources[row], self.image_size, self.resize)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with their labels.

    Attributes:
        images: uint8 (n, height, width, 3), RGB, 0 to 255; or `ImageFiles`.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros.
        names: n names for reports.
        class_names: the names of the classes.
    """

    images: np.ndarray | ImageFiles
    labels: np.ndarray
    names: list[str]
    class_names: tuple[str, ...]

    def __len__(self):
        """Returns the number of images."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageSplits:
    """The three parts of a data set; validation and test may be of length 0.

    Attributes:
        train: an `ImageSet`.
        validation: an `ImageSet`.
        test: an `ImageSet`.
        class_names: the names of the classes.
        skipped: (name, reason) of each file that was left out.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]
    skipped: list[tuple[str, str]]


def load_image_splits(records, image_size, *, resize="squash", on_bad_file="error", max_decoded_bytes=2**31):
    """Decodes every image once: this checks all files, and fills the memory that training reads from.

    Args:
        records: `Records` whose splits are all decided.
        image_size: height and width in pixels.
        resize: "squash", "crop" or "pad", as in `read_image`.
        on_bad_file: "error" stops at files that cannot be read, after all were tried; "skip" goes on without them.
        max_decoded_bytes: the most that the decoded images may take together; beyond it nothing is kept and files are
            read again at each access.

    Returns:
        `ImageSplits`.

    Raises:
        InputError: files cannot be read (the first 20 are named, with reasons), or a class is left without a
            training image.
    """
    if on_bad_file not in ("error", "skip"):
        raise unknown_name("data.on_bad_file", on_bad_file, ("error", "skip"))
    if "" in records.splits:
        raise ValueError("Invalid value for argument `records`. Received undecided splits. Use split_records.")
    keep = len(records) * image_size**2 * 3 <= max_decoded_bytes
    sets, skipped = {}, []
    with ThreadPoolExecutor(os.cpu_count()) as pool, _progress_bar(len(records)) as bar:
        for split in SPLITS:
            part = records.take(records.rows(split))
            files = ImageFiles(part.sources, image_size, resize)
            images, reasons = _decode(files, keep, pool, bar)
            skipped += [(part.names[row], reason) for row, reason in reasons.items()]
            sets[split] = _good_ones(part, images, reasons)
    if skipped and on_bad_file == "error":
        raise _bad_files(skipped, len(records))
    _require_no_class_lost(records, sets["train"])
    return ImageSplits(sets["train"], sets["validation"], sets["test"], records.class_names, skipped)


def _progress_bar(total):
    # disable=None: no bar where stderr is not a terminal.
    return tqdm(total=total, desc="Reading images", unit="image", disable=None, leave=False)


def _decode(files, keep, pool, bar):
    """Tries every file; returns the images (the files where nothing is to be kept) and {row: reason} of the bad."""
    size = files.image_size
    images = np.empty((len(files), size, size, 3), np.uint8) if keep else None

    def reason_of_failure(row):
        try:
            image = files[row]
        except BadImage as error:
            return error.reason
        if keep:
            images[row] = image
        return None

    reasons = {}
    for row, reason in enumerate(pool.map(reason_of_failure, range(len(files)))):
        bar.update()
        if reason:
            reasons[row] = reason
    return (images if keep else files), reasons


def _good_ones(records, images, reasons):
    """Returns the `ImageSet` of the rows that could be read."""
    if reasons:
        good = [row for row in range(len(records)) if row not in reasons]
        records = records.take(good)
        is_array = isinstance(images, np.ndarray)
        images = images[good] if is_array else replace(images, sources=records.sources)
    return ImageSet(images, records.labels, records.names, records.class_names)


def _bad_files(skipped, total):
    named = first_of(f"{name} ({reason})" for name, reason in skipped)
    return InputError(
        f"{len(skipped)} of {total} images cannot be used: {named}; replace or remove them, or go on without them with "
        "--data.on_bad_file skip."
    )


def _require_no_class_lost(records, train):
    lost = _classes(records.labels[records.rows("train")]) - _classes(train.labels)
    if lost:
        names = first_of(records.class_names[label] for label in sorted(lost))
        raise InputError(
            f"No training image that can be read is left of {names}: "
            "expected at least one of each class; replace the bad files, or remove these classes."
        )


def _classes(labels):
    return set(np.unique(labels) if labels.ndim == 1 else np.flatnonzero(labels.any(axis=0)))
