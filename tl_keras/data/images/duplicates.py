"""Pictures that are there more than once: in two splits, where they would flatter the test, or under two labels."""

import hashlib
import importlib

import numpy as np
from PIL import Image

from tl_keras.data.wording import first_of

THUMB_SIDE = 9
"""Side of the thumbnails that tell near copies, divisible by three."""

MAX_DIFFERENT = 1.5
"""Mean difference of the thumbnails of near copies, of 255: what saving again as JPEG or WebP or another size leaves.

It is cautious: two emoji of one face with another mouth differ by 2.0.
"""

_CELLS = 3
_MAX_WORTH = ("train", "validation", "test")


class Looks:
    """What n pictures look like, as the model will see them, in 260 bytes each.

    Args:
        count: n.

    Attributes:
        digests: uint8 (n, 16), hashes of the pixels.
        plain: bool (n,), whether a picture is of a single colour and so like many others.
        thumbs: uint8 (n, THUMB_SIDE, THUMB_SIDE, 3).
    """

    def __init__(self, count):
        self.digests = np.zeros((count, 16), np.uint8)
        self.plain = np.ones(count, bool)
        self.thumbs = np.zeros((count, THUMB_SIDE, THUMB_SIDE, 3), np.uint8)

    def note(self, row, image):
        """Looks at one picture, uint8 (height, width, 3). Threads may do so at once, each for a row of its own."""
        digest = hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
        self.digests[row] = np.frombuffer(digest, np.uint8)
        self.plain[row] = (image == image[0, 0]).all()
        self.thumbs[row] = Image.fromarray(image).resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BOX)

    def take(self, rows):
        """Returns the `Looks` of some rows, in the given order."""
        part = Looks(0)
        part.digests, part.plain, part.thumbs = self.digests[rows], self.plain[rows], self.thumbs[rows]
        return part


def find_copies(records, looks):
    """Finds pictures that must not both stay, for their pixels are the same.

    Args:
        records: `Records` of n images whose splits are decided.
        looks: `Looks` of them; rows that were never noted have no copies, nor have pictures of a single colour.

    Returns:
        reasons: {row: why it cannot be used}. Of copies in several splits those of the test stay, or else those of
            validation; of copies with different labels none.
        harmless: number of pictures that have a copy in their own split, with the same label.
    """
    reasons, harmless = {}, 0
    for rows in _groups(looks):
        others = {row: _other_label(records, row, rows) for row in rows}
        best = max(rows, key=lambda row: _MAX_WORTH.index(records.splits[row]))
        for row in rows:
            if others[row] is not None:
                reasons[row] = f"the same picture as {records.names[others[row]]}, which has another label"
            elif records.splits[row] != records.splits[best]:
                reasons[row] = f"the same picture as {records.names[best]} in the {records.splits[best]} split"
        harmless += max(0, sum(row not in reasons for row in rows) - 1)
    return reasons, harmless


def note_copies(records, looks, harmless):
    """Says what copies there are that may stay.

    Args:
        records: as in `find_copies`, without the rows that it found.
        looks: `Looks` of them.
        harmless: as `find_copies` returned it.

    Returns:
        Tuple of sentences, at most two.
    """
    notes = []
    if harmless:
        notes.append(f"{harmless:,} of {len(records):,} images are copies of others in their split.")
    pairs = [f"{records.names[row]} and {records.names[other]}" for row, other in _near_copies(records, looks)]
    if pairs:
        listed = first_of(pairs, 5)
        notes.append(f"{len(pairs):,} validation or test images nearly equal a training image, look at: {listed}.")
    return tuple(notes)


def _groups(looks):
    """Yields lists of rows whose pictures are the same."""
    groups = {}
    for row in np.flatnonzero(~looks.plain).tolist():
        groups.setdefault(looks.digests[row].tobytes(), []).append(row)
    return (rows for rows in groups.values() if len(rows) > 1)


def _other_label(records, row, rows):
    """Returns the first of some rows whose label is another one than that of a row; None if all are the same."""
    return next((other for other in rows if np.any(records.labels[other] != records.labels[row])), None)


def _near_copies(records, looks):
    """Yields (training row, other row) of each other row whose nearest training picture is as good as equal."""
    splits = np.asarray(records.splits, object)
    train = np.flatnonzero((splits == "train") & ~looks.plain)
    others = np.flatnonzero((splits != "train") & ~looks.plain)
    if not (len(train) and len(others)):
        return
    # Loaded here, for it takes a second, and whoever has bad data need not wait for it.
    tree = importlib.import_module("sklearn.neighbors").KDTree(_cells(looks.thumbs[train]), metric="manhattan")
    nearest = train[tree.query(_cells(looks.thumbs[others]))[1][:, 0]]
    for row, other in zip(nearest.tolist(), others.tolist(), strict=True):
        difference = looks.thumbs[row].astype(int) - looks.thumbs[other]
        if np.abs(difference).mean() <= MAX_DIFFERENT:
            yield row, other


def _cells(thumbs):
    """Averages thumbnails to grey cells, float32 (n, 9): near copies are near there, too, and a tree finds them."""
    side = THUMB_SIDE // _CELLS
    cells = thumbs.reshape(-1, _CELLS, side, _CELLS, side, 3).mean(axis=(2, 4, 5), dtype=np.float32)
    return cells.reshape(-1, _CELLS * _CELLS)
