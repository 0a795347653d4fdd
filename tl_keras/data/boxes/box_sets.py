"""Images and boxes ready for training: squares of one size, the boxes moved with them, kept where memory allows."""

from dataclasses import dataclass

import numpy as np

from tl_keras.data.boxes.geometry import BOX_RESIZES, resize_boxes
from tl_keras.data.images.image_sets import ImageFiles, load_image_splits
from tl_keras.data.records import SPLITS, Records
from tl_keras.errors import unknown_name

SMALLEST_SIDE = 1.0
"""Pixels; boxes that resizing made thinner than this are left out: nothing of them can be seen."""


@dataclass(frozen=True, eq=False)
class BoxSet:
    """Images with their boxes.

    Attributes:
        images: uint8 (n, image_size, image_size, 3), RGB, 0 to 255; or `ImageFiles`.
        boxes: of each image float32 (k, 4), left, top, right, bottom in its pixels.
        labels: of each image int32 (k,), indices into `class_names`.
        names: n names for reports.
        sizes: int32 (n, 2), height and width that each image had before; `restore_boxes` takes them.
        class_names: the names of the classes.
        resize: "pad" or "squash", how they became squares.
    """

    images: np.ndarray | ImageFiles
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    names: list[str]
    sizes: np.ndarray
    class_names: tuple[str, ...]
    resize: str = "pad"

    def __len__(self):
        """Returns the number of images."""
        return len(self.boxes)


@dataclass(frozen=True, eq=False)
class BoxSplits:
    """The three parts of a data set; validation and test may be of length 0.

    Attributes:
        train: a `BoxSet`.
        validation: a `BoxSet`.
        test: a `BoxSet`.
        class_names: the names of the classes.
        skipped: (name, reason) of each file that was left out.
        notes: sentences for the user to read.
    """

    train: BoxSet
    validation: BoxSet
    test: BoxSet
    class_names: tuple[str, ...]
    skipped: list[tuple[str, str]]
    notes: tuple[str, ...]


def load_box_splits(
    records, image_size, *, resize="pad", on_bad_file="error", max_bad_files=0.01, max_decoded_bytes=2**31
):
    """Decodes every image once, and moves the boxes with the pixels.

    Args:
        records: `BoxRecords` whose splits are all decided.
        image_size: height and width in pixels.
        resize: "pad" keeps the proportions and fills up with white, "squash" does not.
        on_bad_file: "error" stops at bad files, after all were tried; "skip" goes on without them.
        max_bad_files: the largest share of all files that "skip" may leave out, 0 to 1.
        max_decoded_bytes: the most that the decoded images may take together; beyond it nothing is kept and files are
            read again at each access.

    Returns:
        `BoxSplits`.

    Raises:
        InputError: bad files, or more than may be skipped, or a class is left without a training image; as in
            `load_image_splits`.
    """
    if resize not in BOX_RESIZES:
        raise unknown_name("data.resize", resize, BOX_RESIZES)
    shown = records.classes_shown()
    splits = load_image_splits(
        Records(records.sources, records.names, shown, records.splits, records.class_names, (), records.skipped),
        image_size,
        resize=resize,
        on_bad_file=on_bad_file,
        max_bad_files=max_bad_files,
        max_decoded_bytes=max_decoded_bytes,
    )
    row_of_name = {name: row for row, name in enumerate(records.names)}
    sets, thin = {}, 0
    for split in SPLITS:
        image_set = getattr(splits, split)
        part = records.take([row_of_name[name] for name in image_set.names])
        resized = [_resized(part, row, image_size, resize) for row in range(len(part))]
        boxes, labels = [boxes for boxes, _ in resized], [labels for _, labels in resized]
        thin += sum(map(len, part.labels)) - sum(map(len, labels))
        sets[split] = BoxSet(image_set.images, boxes, labels, part.names, part.sizes, records.class_names, resize)
    note = f"Left out {thin:,} boxes that are thinner than a pixel at {image_size} × {image_size}."
    notes = (*records.notes, *splits.notes, *([note] if thin else []))
    return BoxSplits(*(sets[split] for split in SPLITS), records.class_names, splits.skipped, notes)


def _resized(records, row, image_size, resize):
    """Returns the boxes and labels of an image after resizing, without what has become invisible."""
    boxes = resize_boxes(records.boxes[row], records.sizes[row], image_size, resize)
    seen = ((boxes[:, 2:] - boxes[:, :2]) >= SMALLEST_SIDE).all(axis=1)
    return boxes[seen], records.labels[row][seen]
