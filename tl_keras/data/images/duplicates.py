"""Duplicate images: across splits (leakage) or with conflicting labels; and near-duplicates across splits."""

import importlib

import numpy as np
from PIL import Image

from tl_keras.data.duplicates import group_rows, refuse_duplicates
from tl_keras.data.images.pixel_digests import PIXEL_DIGEST_BYTES
from tl_keras.data.wording import first_of
from tl_keras.errors import counted, part_of

THUMBNAIL_SIDE = 9
"""Side of the thumbnails that near-duplicates are compared by, in pixels, divisible by three."""

MAX_DIFFERENCE = 1.5
"""Maximum mean difference of the thumbnails of near-duplicates, on a scale of 255.

Saving again as JPEG or WebP, or at another size, stays below it. It is cautious: two emoji of one face with different
mouths differ by 2.0.
"""

_CELLS = 3


class Fingerprints:
    """Fingerprints of n images, 260 bytes each.

    Args:
        count: n.

    Attributes:
        digests: uint8 (n, 16), see `pixel_digest`; they do not depend on the resize.
        plain: bool (n,), True for images of a single colour, which are never duplicates.
        thumbnails: uint8 (n, THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3).
    """

    def __init__(self, count):
        self.digests = np.zeros((count, PIXEL_DIGEST_BYTES), np.uint8)
        self.plain = np.ones(count, bool)
        self.thumbnails = np.zeros((count, THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3), np.uint8)

    def add(self, row, image, digest):
        """Stores the fingerprint of an image; safe to call from several threads for different rows.

        Args:
            row: int, the row of the image.
            image: uint8 (height, width, 3), at the size that the model sees.
            digest: its `pixel_digest`.
        """
        self.digests[row] = np.frombuffer(digest, np.uint8)
        self.plain[row] = (image == image[0, 0]).all()
        size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        self.thumbnails[row] = Image.fromarray(image).resize(size, Image.Resampling.BOX)

    def repeat(self, row, first):
        """Copies the fingerprint of a row to another."""
        for values in (self.digests, self.plain, self.thumbnails):
            values[row] = values[first]

    def take(self, rows):
        """Returns the `Fingerprints` of the given rows, in the given order."""
        part = Fingerprints(0)
        part.digests, part.plain, part.thumbnails = self.digests[rows], self.plain[rows], self.thumbnails[rows]
        return part


def find_duplicates(records, fingerprints):
    """Finds images with equal pixels that must not all stay.

    Args:
        records: `Records` of n images without undecided splits.
        fingerprints: `Fingerprints` of the images; rows without a fingerprint have no duplicates.

    Returns:
        reasons: {row: reason} of the images to refuse, as `refuse_duplicates` returns it.
        num_harmless: the same.
    """
    rows = np.flatnonzero(~fingerprints.plain).tolist()
    keys = (fingerprints.digests[row].tobytes() for row in rows)
    return refuse_duplicates(records, group_rows(keys, rows), "image")


def note_duplicates(records, fingerprints, num_harmless):
    """Builds the notes on harmless duplicates and on near-duplicates across splits.

    Args:
        records: `Records` of the images that stay after `find_duplicates`.
        fingerprints: `Fingerprints` of these images.
        num_harmless: the number that `find_duplicates` returned.

    Returns:
        Tuple of at most two sentences.
    """
    notes = []
    if num_harmless:
        notes.append(
            f"{part_of(num_harmless, len(records), 'image', ('duplicates', 'duplicate'))} others in their split."
        )
    pairs = [
        f"{records.names[row]} and {records.names[other]}" for row, other in _near_duplicates(records, fingerprints)
    ]
    if pairs:
        examples = first_of(pairs, 5)
        notes.append(
            f"{counted(len(pairs), 'validation or test image')} nearly the same as a training image, look at: "
            f"{examples}."
        )
    return tuple(notes)


def _near_duplicates(records, fingerprints):
    """Yields (training row, other row) for each other row that nearly equals its nearest training image."""
    splits = np.asarray(records.splits, object)
    train = np.flatnonzero((splits == "train") & ~fingerprints.plain)
    others = np.flatnonzero((splits != "train") & ~fingerprints.plain)
    if not (len(train) and len(others)):
        return
    # Imported here because it takes a second, which users with bad data need not wait.
    neighbors = importlib.import_module("sklearn.neighbors")
    thumbnails = fingerprints.thumbnails
    tree = neighbors.KDTree(_cells(thumbnails[train]), metric="manhattan")
    nearest = train[tree.query(_cells(thumbnails[others]))[1][:, 0]]
    for row, other in zip(nearest.tolist(), others.tolist(), strict=True):
        difference = thumbnails[row].astype(int) - thumbnails[other]
        if np.abs(difference).mean() <= MAX_DIFFERENCE:
            yield row, other


def _cells(thumbnails):
    """Averages thumbnails to grey cells, float32 (n, 9): few enough dimensions for a search tree."""
    side = THUMBNAIL_SIDE // _CELLS
    cells = thumbnails.reshape(-1, _CELLS, side, _CELLS, side, 3).mean(axis=(2, 4, 5), dtype=np.float32)
    return cells.reshape(-1, _CELLS * _CELLS)
