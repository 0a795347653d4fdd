"""Images with boxes before decoding, as a table of sources, boxes, labels and splits."""

from dataclasses import dataclass

import numpy as np

from tl_keras.data.records import Records


@dataclass(frozen=True, eq=False, kw_only=True)
class BoxRecords(Records):
    """Sources, boxes, labels and splits of a data set, one row per image.

    Attributes:
        sources: paths of files, or encoded images (bytes).
        names: unique name of each image in reports.
        boxes: list of float32 (k, 4), for each image left, top, right, bottom in pixels of the upright image, clipped
            to it and with positive area; k may be 0.
        labels: list of int32 (k,), indices into `class_names`, for each image.
        sizes: int32 (n, 2), height and width of each upright image in pixels; 0 if it cannot be read.
        splits: "train", "validation", "test", or "" if undecided.
        class_names: the names of the classes, in the order of the labels.
        notes: sentences for the user on boxes or files that were left out or look wrong.
        skipped: (name, reason) of each file that was left out.
    """

    boxes: list[np.ndarray]
    sizes: np.ndarray
    COLUMNS = (*Records.COLUMNS, "boxes", "sizes")

    def multi_hot_labels(self):
        """Returns the classes of each image as ones and zeros, uint8 (n, num_classes)."""
        classes = np.zeros((len(self), len(self.class_names)), np.uint8)
        for row, labels in enumerate(self.labels):
            classes[row, labels] = 1
        return classes
