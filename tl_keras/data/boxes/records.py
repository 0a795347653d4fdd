"""What is known about images with boxes before they are decoded: a table of sources, boxes, labels and splits."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class BoxRecords:
    """One row per image.

    Attributes:
        sources: the path of each file, or the encoded image itself (bytes).
        names: what reports call each image; no two are the same.
        boxes: of each image float32 (k, 4): left, top, right, bottom in pixels of the upright image, inside it and of
            some area; k may be 0.
        labels: of each image int32 (k,), indices into `class_names`.
        sizes: int32 (n, 2), height and width of each upright image in pixels; 0 where it cannot be read.
        splits: "train", "validation", "test", or "" where that is not decided yet.
        class_names: the names of the classes, in the order of the labels.
        notes: sentences on what was left out or looks odd, for the user to read.
        skipped: (name, reason) of each file that was left out already.
    """

    sources: list[str | bytes]
    names: list[str]
    boxes: list[np.ndarray]
    labels: list[np.ndarray]
    sizes: np.ndarray
    splits: list[str]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self):
        """Returns the number of images."""
        return len(self.sources)

    def rows(self, split):
        """Returns the row numbers of a split, int64 (k,), in order."""
        return np.flatnonzero(np.asarray(self.splits, dtype=object) == split)

    def take(self, rows):
        """Returns new BoxRecords with the given rows, in the given order."""
        return replace(
            self,
            sources=[self.sources[row] for row in rows],
            names=[self.names[row] for row in rows],
            boxes=[self.boxes[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            sizes=self.sizes[rows],
            splits=[self.splits[row] for row in rows],
        )

    def classes_shown(self):
        """Returns uint8 (n, num_classes): one where an image shows a class."""
        shown = np.zeros((len(self), len(self.class_names)), np.uint8)
        for row, labels in enumerate(self.labels):
            shown[row, labels] = 1
        return shown
