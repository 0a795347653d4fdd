"""Images and labels for training: each file is decoded and checked once, and kept if memory allows."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from tl_keras.data.images.bad_files import check_max_bad_files, listed
from tl_keras.data.images.decoding import BadImage, read_digested, read_image
from tl_keras.data.images.duplicates import Fingerprints, find_duplicates, note_duplicates
from tl_keras.data.images.resizing import STRETCH
from tl_keras.data.records import SPLITS, Splits
from tl_keras.data.wording import excerpt, first_of, printable
from tl_keras.errors import InputError, counted, unknown_name


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images that are read at each access, in place of an array that would not fit into memory.

    Attributes:
        sources: paths, or encoded images (bytes).
        image_size: height and width in pixels.
        resize: one of `RESIZES`, as in `read_image`.
        stamps: int64 (n, 2), the state of each file when it was checked, see `file_stamp`; None: unchecked files.
    """

    sources: list[str | bytes]
    image_size: int
    resize: str = STRETCH
    stamps: np.ndarray | None = None

    def __len__(self):
        """Returns the number of images."""
        return len(self.sources)

    def __getitem__(self, row):
        """Reads an image, uint8 (image_size, image_size, 3); InputError if its file changed after the check."""
        if self.stamps is not None and file_stamp(self.sources[row]) != tuple(self.stamps[row]):
            raise InputError(
                f"The image {printable(self.sources[row])} has changed since the run started: restore the "
                "original file and resume, or start another run."
            )
        return read_image(self.sources[row], self.image_size, self.resize)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images and their labels.

    Attributes:
        images: uint8 (n, height, width, 3), RGB, 0 to 255; or `ImageFiles`.
        labels: int32 (n,), indices into `class_names`; multi-label: uint8 (n, num_classes), ones and zeros.
        names: n names for reports.
        class_names: names of the classes.
        digests: uint8 (n, 16), see `pixel_digest`; None for images that `load_image_splits` did not read.
    """

    images: np.ndarray | ImageFiles
    labels: np.ndarray | list[np.ndarray]
    names: list[str]
    class_names: tuple[str, ...]
    digests: np.ndarray | None = None

    def __len__(self):
        """Returns the number of images."""
        return len(self.labels)

    def take(self, rows):
        """Returns the images of the given rows, int (k,), in this order."""
        names = [self.names[row] for row in rows]
        digests = None if self.digests is None else self.digests[rows]
        return ImageSet(_part(self.images, rows), self.labels[rows], names, self.class_names, digests)


@dataclass(frozen=True)
class ImageLoading:
    """Options of loading images.

    Attributes:
        on_bad_file: "error" refuses bad files after all were tried; "skip" leaves them out.
        max_bad_files: maximum fraction of the files that "skip" may leave out, 0 to 1, as in `check_max_bad_files`.
        max_decoded_bytes: maximum size of all decoded images; beyond it none is kept and files are read at each access.
    """

    on_bad_file: str = "error"
    max_bad_files: float = 0.01
    max_decoded_bytes: int = 2**31


DEFAULT_LOADING = ImageLoading()


def load_image_splits(records, image_size, *, resize=STRETCH, loading=DEFAULT_LOADING, refuse_duplicates=True):
    """Decodes and checks every image once, and keeps the decoded images if memory allows.

    Bad files are those that cannot be read as an image, and duplicates: their pixels equal those of an image of
    another split or with another label.

    Args:
        records: `Records` without undecided splits.
        image_size: height and width in pixels.
        resize: one of `RESIZES`, as in `read_image`.
        loading: `ImageLoading`.
        refuse_duplicates: False accepts duplicates across splits and labels, for labels that are placeholders.

    Returns:
        `Splits` of `ImageSet`, with a note on near-duplicates of images in another split.

    Raises:
        InputError: there are bad files (the first 20 are named, with reasons), or more than may be skipped, or no
            training image of a class is left.
    """
    if loading.on_bad_file not in ("error", "skip"):
        raise unknown_name("data.on_bad_file", loading.on_bad_file, ("error", "skip"))
    if "" in records.splits:
        raise ValueError("Invalid value for argument `records`. Received undecided splits. Use split_records.")
    records = records.take(np.concatenate([records.rows(split) for split in SPLITS]))
    keep = len(records) * image_size**2 * 3 <= loading.max_decoded_bytes
    images, fingerprints, reasons = _decode(ImageFiles(records.sources, image_size, resize), keep)
    duplicates, num_harmless = find_duplicates(records, fingerprints) if refuse_duplicates else ({}, 0)
    reasons |= duplicates
    skipped = [*records.skipped, *((records.names[row], reasons[row]) for row in sorted(reasons))]
    total = len(records) + len(records.skipped)
    if skipped and loading.on_bad_file == "error":
        raise InputError(
            f"{len(skipped)} of {counted(total, 'image')} cannot be used: {listed(skipped)}; replace or remove them, "
            "or leave them out with --data.on_bad_file skip."
        )
    check_max_bad_files(skipped, total, loading.max_bad_files)
    good = np.setdiff1d(np.arange(len(records)), list(reasons))
    notes = ()
    if refuse_duplicates:
        notes = note_duplicates(records.take(good), fingerprints.take(good), num_harmless)
    parts = [np.intersect1d(records.rows(split), good) for split in SPLITS]
    sets = [_image_set(records.take(rows), _part(images, rows), fingerprints.digests[rows]) for rows in parts]
    _require_all_classes(records, sets[0])
    return Splits(*sets, records.class_names, skipped, (*records.notes, *notes))


def file_stamp(source):
    """Returns the size and the modification time in ns of a file, which change when it is written."""
    if isinstance(source, bytes):
        return len(source), 0
    try:
        status = os.stat(source)
    except OSError:
        return -1, 0
    return status.st_size, status.st_mtime_ns


def _decode(files, keep):
    """Decodes every file.

    Returns the images, uint8 (n, side, side, 3), or if they are not kept, `ImageFiles` with stamps; their
    `Fingerprints`; and {row: reason} of the files that cannot be read.
    """
    size, fingerprints = files.image_size, Fingerprints(len(files))
    images = np.empty((len(files), size, size, 3), np.uint8) if keep else None
    stamps = np.zeros((len(files), 2), np.int64)

    def reason_of_failure(row):
        stamps[row] = file_stamp(files.sources[row])
        try:
            image, digest = read_digested(files.sources[row], size, files.resize)
        except BadImage as error:
            return error.reason
        fingerprints.add(row, image, digest)
        if keep:
            images[row] = image
        return None

    first_rows = {}
    firsts = np.array([first_rows.setdefault(source, row) for row, source in enumerate(files.sources)], np.int64)
    distinct = list(first_rows.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # disable=None: no bar if stderr is not a terminal.
        results = pool.map(reason_of_failure, distinct)
        results = tqdm(results, "Reading images", len(distinct), unit="image", disable=None, leave=False)
        found = dict(zip(distinct, results, strict=True))
    # A table may list a file many times.
    for row in np.flatnonzero(firsts != np.arange(len(files))):
        if keep:
            images[row] = images[firsts[row]]
        stamps[row] = stamps[firsts[row]]
        fingerprints.repeat(row, firsts[row])
    reasons = {row: found[first] for row, first in enumerate(firsts.tolist()) if found[first]}
    return (images if keep else replace(files, stamps=stamps)), fingerprints, reasons


def _image_set(records, images, digests):
    return ImageSet(images, records.labels, records.names, records.class_names, digests)


def _part(images, rows):
    """Returns the images of the given rows; a view of the array if the rows are consecutive."""
    if isinstance(images, np.ndarray):
        is_consecutive = len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows)))
        return images[rows[0] : rows[-1] + 1] if is_consecutive else images[rows]
    stamps = None if images.stamps is None else images.stamps[rows]
    return replace(images, sources=[images.sources[row] for row in rows], stamps=stamps)


def _require_all_classes(records, train):
    missing = _classes(records.labels[records.rows("train")]) - _classes(train.labels)
    if missing:
        names = first_of(excerpt(records.class_names[label]) for label in sorted(missing))
        raise InputError(
            f"No readable training image of {names} is left: "
            "expected at least one of each class; replace the bad files, or remove these classes."
        )


def _classes(labels):
    return set(np.unique(labels) if labels.ndim == 1 else np.flatnonzero(labels.any(axis=0)))
