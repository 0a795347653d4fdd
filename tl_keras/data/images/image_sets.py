"""Images and labels ready for training: each file decoded once, checked, and kept where memory allows."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from tl_keras.data.images.bad_files import listed, require_few
from tl_keras.data.images.decoding import BadImage, read_image
from tl_keras.data.images.duplicates import Looks, find_copies, note_copies
from tl_keras.data.records import SPLITS
from tl_keras.data.wording import first_of, printable
from tl_keras.errors import InputError, unknown_name

__all__ = ["ImageFiles", "ImageSet", "ImageSplits", "load_image_splits", "read_image"]


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images that are read at each access: what stands in for an array that would not fit into memory.

    Attributes:
        sources: path or encoded image (bytes) of each.
        image_size: height and width in pixels.
        resize: "squash", "crop" or "pad", as in `read_image`.
        stamps: int64 (n, 2), the state of each file when it was checked, see `file_stamp`; None: they were not.
        digests: uint8 (n, 16), the hash of the pixels of each, as `Looks` has it; None as said.
    """

    sources: list[str | bytes]
    image_size: int
    resize: str = "squash"
    stamps: np.ndarray | None = None
    digests: np.ndarray | None = None

    def __len__(self):
        """Returns the number of images."""
        return len(self.sources)

    def __getitem__(self, row):
        """Reads one image, uint8 (image_size, image_size, 3); InputError if it is not the one that was checked."""
        if self.stamps is not None and file_stamp(self.sources[row]) != tuple(self.stamps[row]):
            raise InputError(
                f"The image {printable(self.sources[row])} has changed since the run began: put the old one back and "
                "go on, or begin another run."
            )
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
        notes: sentences for the user to read.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    class_names: tuple[str, ...]
    skipped: list[tuple[str, str]]
    notes: tuple[str, ...] = ()


def load_image_splits(
    records,
    image_size,
    *,
    resize="squash",
    on_bad_file="error",
    max_bad_files=0.01,
    max_decoded_bytes=2**31,
    copies_are_bad=True,
):
    """Decodes every image once: this checks all files, and fills the memory that training reads from.

    Bad are files that cannot be read as an image, and those that show the same picture as a file of another split or
    of another label, at the size that the model sees.

    Args:
        records: `Records` whose splits are all decided.
        image_size: height and width in pixels.
        resize: "squash", "crop" or "pad", as in `read_image`.
        on_bad_file: "error" stops at bad files, after all were tried; "skip" goes on without them.
        max_bad_files: the largest share of all files that "skip" may leave out, 0 to 1.
        max_decoded_bytes: the most that the decoded images may take together; beyond it nothing is kept and files are
            read again at each access.
        copies_are_bad: whether the same picture may not be in two splits or have two labels. Where labels are not the
            true ones, it may.

    Returns:
        `ImageSplits`, with a note on images that nearly equal one of another split.

    Raises:
        InputError: bad files (the first 20 are named, with reasons), or more than may be skipped, or a class is left
            without a training image.
    """
    if on_bad_file not in ("error", "skip"):
        raise unknown_name("data.on_bad_file", on_bad_file, ("error", "skip"))
    if "" in records.splits:
        raise ValueError("Invalid value for argument `records`. Received undecided splits. Use split_records.")
    lengths = [len(records.rows(split)) for split in SPLITS]
    records = records.take(np.concatenate([records.rows(split) for split in SPLITS]))
    keep = len(records) * image_size**2 * 3 <= max_decoded_bytes
    images, looks, reasons = _decode(ImageFiles(records.sources, image_size, resize), keep)
    copies, harmless = find_copies(records, looks) if copies_are_bad else ({}, 0)
    reasons |= copies
    skipped = [*records.skipped, *((records.names[row], reasons[row]) for row in sorted(reasons))]
    total = len(records) + len(records.skipped)
    if skipped and on_bad_file == "error":
        raise _bad_files(skipped, total)
    require_few(skipped, total, max_bad_files)
    good = np.setdiff1d(np.arange(len(records)), list(reasons))
    notes = note_copies(records.take(good), looks.take(good), harmless) if copies_are_bad else ()
    parts = [rows[np.isin(rows, good)] for rows in np.split(np.arange(len(records)), np.cumsum(lengths)[:-1])]
    sets = [_image_set(records.take(rows), _part(images, rows)) for rows in parts]
    _require_no_class_lost(records, sets[0])
    return ImageSplits(*sets, records.class_names, skipped, (*records.notes, *notes))


def file_stamp(source):
    """Returns what tells that a file was written to, its size and the time of the last change, two int."""
    if isinstance(source, bytes):
        return len(source), 0
    try:
        status = os.stat(source)
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _decode(files, keep):
    """Tries every file.

    Returns the images, uint8 (n, side, side, 3), or files with their stamps where nothing is to be kept; their `Looks`;
    and {row: reason} of the bad.
    """
    size, looks = files.image_size, Looks(len(files))
    images = np.empty((len(files), size, size, 3), np.uint8) if keep else None
    stamps = np.zeros((len(files), 2), np.int64)

    def reason_of_failure(row):
        stamps[row] = file_stamp(files.sources[row])
        try:
            image = files[row]
        except BadImage as error:
            return error.reason
        looks.note(row, image)
        if keep:
            images[row] = image
        return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # disable=None: no bar where stderr is not a terminal.
        found = pool.map(reason_of_failure, range(len(files)))
        found = tqdm(found, "Reading images", len(files), unit="image", disable=None, leave=False)
        reasons = {row: reason for row, reason in enumerate(found) if reason}
    checked = ImageFiles(files.sources, size, files.resize, stamps, looks.digests)
    return (images if keep else checked), looks, reasons


def _image_set(records, images):
    return ImageSet(images, records.labels, records.names, records.class_names)


def _part(images, rows):
    """Returns some of the images; a view of the array where they follow each other."""
    if isinstance(images, np.ndarray):
        follow = len(rows) and rows[-1] - rows[0] == len(rows) - 1
        return images[rows[0] : rows[-1] + 1] if follow else images[rows]
    sources = [images.sources[row] for row in rows]
    return ImageFiles(sources, images.image_size, images.resize, images.stamps[rows], images.digests[rows])


def _bad_files(skipped, total):
    return InputError(
        f"{len(skipped)} of {total} images cannot be used: {listed(skipped)}; replace or remove them, or go on without "
        "them with --data.on_bad_file skip."
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
