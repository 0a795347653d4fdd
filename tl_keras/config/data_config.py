"""Settings of the data."""

import math
from typing import Literal

from tl_keras.config.ranges import check_minimum
from tl_keras.data.images.resizing import Resize
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import documented_dataclass

MIN_IMAGE_SIZE, MAX_IMAGE_SIZE = 32, 4096


@documented_dataclass
class DataConfig:
    """Settings of the data that the model is trained on."""

    path: str | None = None
    """Folder with one subfolder per class (or with train/, val/ and test/), a table, tfds:NAME, or the name of a
    shipped data set; for object detection a COCO JSON file, a YOLO data.yaml, a folder of Pascal VOC XML files, or a
    table. By default the task's shipped data set: emoji, reviews or tree_crowns."""
    image_size: int | None = None
    """Side of the model's square input images in pixels, 32 to 4096. By default that of the backbone, or less if the
    images are smaller."""
    resize: Resize | None = None
    """Resizing of images that are not square: stretch ignores the aspect ratio, crop cuts off the edges, pad adds
    borders. By default stretch, or pad for object detection, which cannot crop."""
    batch_size: int = 32
    """Number of examples in a training step, at least 1; with several devices, on each of them."""
    augmentation: Literal["none", "light", "strong", "randaugment", "mixup", "cutmix", "mosaic"] | None = None
    """Random augmentation of training images, new in every epoch. By default light, and none for texts. Object
    detection accepts none, light and mosaic; image classification all but mosaic; text classification none."""
    examples_per_class: int | None = None
    """Maximum number of labelled examples per class to train on, at least 1, to see the accuracy with fewer labels. By
    default all. Classification only."""
    max_train_images: int | None = None
    """Maximum number of images to train on, at least 1, to see the accuracy with fewer labels. By default all. Object
    detection only."""
    validation_fraction: float | None = None
    """Fraction of the examples used for validation, between 0 and 0.5, if the data has no validation split. By default
    0.15; recipe auto holds out none of up to 2,000 labels, and cross-validates instead."""
    test_fraction: float = 0.15
    """Fraction of the examples used for the final test, between 0 and 0.5, if the data has no test split."""
    class_weight: Literal["none", "balanced"] = "none"
    """Weights of the classes in the loss: balanced gives rare classes the same total weight as frequent ones."""
    multi_label: bool = False
    """Whether an example may have several labels, in a table as one|two or as a list."""
    label_separator: str | None = None
    """Separator of the labels of a cell, with multi_label. By default "|"; a table whose cells hold another usual one
    in its place, such as a comma, is refused until it is given here."""
    path_column: str = "path"
    """Column of a table with the paths of the image files."""
    label_column: list[str] | str = "label"
    """Column of a table with the class names, or a list of the columns of zeros and ones of the classes, such as
    [toxic, threat]. Object detection accepts one column."""
    split_column: str = "split"
    """Column of a table with train, validation or test for each example; optional."""
    on_bad_file: Literal["error", "skip"] = "error"
    """Unreadable images, and duplicate images or texts across splits or with conflicting labels: error stops before
    training; skip leaves them out and lists them in the report and in skipped.txt."""
    max_bad_files: float = 0.01
    """Maximum fraction of the files that skip may leave out, from 0 to 1; above 0 up to 5 files, at most a tenth, may
    always be left out."""
    max_decoded_gigabytes: float = 2.0
    """Maximum memory for decoded images in gigabytes, 0 or more; larger data sets are decoded again in every epoch."""

    def __post_init__(self):
        """Checks that the path is not empty, that numbers are in range and that settings are compatible."""
        if self.path == "":
            raise InputError("data.path is empty: give a folder, a table, tfds:NAME or the name of a shipped set.")
        check_minimum(self, "data.", image_size=MIN_IMAGE_SIZE, batch_size=1, examples_per_class=1, max_train_images=1)
        if self.image_size is not None and self.image_size > MAX_IMAGE_SIZE:
            raise InputError(f"data.image_size must be at most {MAX_IMAGE_SIZE} pixels: got {self.image_size}.")
        for name in ("validation_fraction", "test_fraction"):
            if getattr(self, name) is not None and not 0 < getattr(self, name) < 0.5:
                raise InputError(f"data.{name} must lie between 0 and 0.5: got {getattr(self, name)}.")
        if not 0 <= self.max_bad_files <= 1:
            raise InputError(f"data.max_bad_files must lie from 0 to 1: got {self.max_bad_files}.")
        if not 0 <= self.max_decoded_gigabytes < math.inf:
            raise InputError(f"data.max_decoded_gigabytes must be 0 or more: got {self.max_decoded_gigabytes}.")
        if self.label_separator is not None and not (self.multi_label and self.label_separator):
            raise InputError(
                f"data.label_separator is {self.label_separator!r}: give one or more characters, and data.multi_label "
                "true, or leave it out."
            )
        if not isinstance(self.label_column, str) and len(set(self.label_column)) < max(2, len(self.label_column)):
            raise InputError(f"data.label_column is {self.label_column}: give the name of one column, or two or more.")
        if self.multi_label and self.class_weight == "balanced":
            raise InputError("data.class_weight balanced needs one label per example: take none with data.multi_label.")
