"""Images and boxes for training: squares of one size with resized boxes, kept if memory allows."""

from dataclasses import dataclass, replace

import numpy as np

from tl_keras.data.boxes.geometry import BOX_RESIZES, resize_boxes
from tl_keras.data.images.image_sets import DEFAULT_LOADING, ImageSet, load_image_splits
from tl_keras.data.images.resizing import PAD
from tl_keras.data.records import SPLITS, Records, Splits
from tl_keras.errors import counted, unknown_name

MIN_SIDE = 1.0
"""Minimum side of a box in pixels after resizing; thinner boxes are left out, because they are invisible."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxSet(ImageSet):
    """Images and their boxes.

    Attributes:
        images: uint8 (n, image_size, image_size, 3), RGB, 0 to 255; or `ImageFiles`.
        boxes: list of float32 (k, 4), left, top, right, bottom in pixels, for each image.
        labels: list of int32 (k,), indices into `class_names`, for each image.
        names: n names for reports.
        sizes: int32 (n, 2), height and width of each image before resizing, for `restore_boxes`.
        class_names: names of the classes.
        resize: one of `BOX_RESIZES`, the resize that made the images squares.
    """

    boxes: list[np.ndarray]
    sizes: np.ndarray
    resize: str = PAD

    def take(self, rows):
        """Returns the images of the given rows, int (k,), in this order, with their boxes."""
        images = ImageSet(self.images, np.arange(len(self)), self.names, self.class_names, self.digests).take(rows)
        columns = {name: [getattr(self, name)[row] for row in rows] for name in ("boxes", "labels")}
        columns |= {name: getattr(images, name) for name in ("images", "names", "digests")}
        return replace(self, sizes=self.sizes[rows], **columns)


def load_box_splits(records, image_size, *, resize=PAD, loading=DEFAULT_LOADING):
    """Decodes and resizes every image once, and resizes the boxes with it.

    Args:
        records: `BoxRecords` without undecided splits.
        image_size: height and width in pixels.
        resize: one of `BOX_RESIZES`.
        loading: `ImageLoading`.

    Returns:
        `Splits` of `BoxSet`.

    Raises:
        InputError: there are bad files, or more than may be skipped, or no training image of a class is left, as in
            `load_image_splits`.
    """
    if resize not in BOX_RESIZES:
        raise unknown_name("data.resize", resize, BOX_RESIZES)
    labels, class_names = records.multi_hot_labels(), records.class_names
    images = Records(records.sources, records.names, labels, records.splits, class_names, (), records.skipped)
    splits = load_image_splits(images, image_size, resize=resize, loading=loading)
    row_of_name = {name: row for row, name in enumerate(records.names)}
    sets, num_thin = {}, 0
    for split in SPLITS:
        image_set = getattr(splits, split)
        part = records.take([row_of_name[name] for name in image_set.names])
        resized = [_resized(part, row, image_size, resize) for row in range(len(part))]
        boxes, labels = [boxes for boxes, _ in resized], [labels for _, labels in resized]
        num_thin += sum(map(len, part.labels)) - sum(map(len, labels))
        columns = {"boxes": boxes, "sizes": part.sizes, "resize": resize, "digests": image_set.digests}
        sets[split] = BoxSet(image_set.images, labels, part.names, class_names, **columns)
    note = f"Left out {counted(num_thin, 'box')} thinner than a pixel at {image_size} × {image_size}."
    notes = (*records.notes, *splits.notes, *([note] if num_thin else []))
    return Splits(**sets, class_names=class_names, skipped=splits.skipped, notes=notes)


def _resized(records, row, image_size, resize):
    """Returns the boxes and labels of an image after resizing, without invisible boxes."""
    boxes = resize_boxes(records.boxes[row], records.sizes[row], image_size, resize)
    is_visible = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE).all(axis=1)
    return boxes[is_visible], records.labels[row][is_visible]
