"""What a run is told about its data."""

import math
from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import document_fields

MAX_IMAGE_SIZE = 4096


@document_fields
@dataclass(frozen=True)
class DataConfig:
    """What the model learns from."""

    path: str | None = None
    """Folder of class folders (or of train/, val/, test/), a table, tfds:NAME, or a shipped set; for boxes COCO's JSON,
    YOLO's data.yaml, a folder of VOC's XML, or a table. null takes emoji, reviews or tree_crowns by the task."""
    image_size: int | None = None
    """Side in pixels of the square images that the model sees; null takes the network's, or less for small images."""
    resize: Literal["squash", "crop", "pad"] | None = None
    """How other shapes become squares: squash distorts, crop loses the edges, pad adds borders. null takes squash, with
    boxes pad; with boxes there is no crop."""
    batch_size: int = 32
    """Images or texts in one training step, of each device where there are several."""
    augmentation: Literal["none", "light", "strong", "randaugment", "mixup", "cutmix", "mosaic"] | None = None
    """How training images are varied, drawn anew in every epoch; null takes light. Texts know none only, images with
    boxes none, light and mosaic, which others do not know."""
    examples_per_class: int | None = None
    """Train on this many labelled images of each class only: what would fewer labels have done?"""
    max_train_images: int | None = None
    """Train on this many images with boxes only: what would fewer labels have done?"""
    validation_fraction: float = 0.15
    """Share held out to watch the training, where the data comes without such a split."""
    test_fraction: float = 0.15
    """Share held out for the final test, where the data comes without such a split."""
    class_weight: Literal["none", "balanced"] = "none"
    """balanced lets rare classes count as much as frequent ones."""
    multi_label: bool = False
    """Whether an example may have several labels, written as one|two in a table."""
    path_column: str = "path"
    """Column of a table that names the image file."""
    label_column: str = "label"
    """Column of a table that names the class."""
    split_column: str = "split"
    """Column of a table that says train, validation or test; it may be absent."""
    on_bad_file: Literal["error", "skip"] = "error"
    """error stops before training at files that cannot be read, and at the same picture in two splits or with two
    labels; skip goes on without them and lists them in the report and in skipped.txt."""
    max_bad_files: float = 0.01
    """Largest share of the files that skip may leave out, 0 to 1."""
    max_decoded_gigabytes: float = 2.0
    """Images are decoded once and kept in memory up to this size; beyond it they are decoded again in every epoch."""

    def __post_init__(self):
        """Refuses an empty path, numbers that no data could satisfy and settings that exclude each other."""
        if self.path == "":
            raise InputError("data.path is empty: give a folder, a table, tfds:NAME or the name of a shipped set.")
        check_least(self, "data", {"image_size": 32, "batch_size": 1, "examples_per_class": 1, "max_train_images": 1})
        if self.image_size is not None and self.image_size > MAX_IMAGE_SIZE:
            raise InputError(f"data.image_size must be at most {MAX_IMAGE_SIZE} pixels: got {self.image_size}.")
        for name in ("validation_fraction", "test_fraction"):
            if not 0 < getattr(self, name) < 0.5:
                raise InputError(f"data.{name} must lie between 0 and 0.5: got {getattr(self, name)}.")
        if not 0 <= self.max_bad_files <= 1:
            raise InputError(f"data.max_bad_files must lie from 0 to 1: got {self.max_bad_files}.")
        if not 0 <= self.max_decoded_gigabytes < math.inf:
            raise InputError(f"data.max_decoded_gigabytes must be 0 or more: got {self.max_decoded_gigabytes}.")
        if self.multi_label and self.class_weight == "balanced":
            raise InputError("data.class_weight balanced needs one label per example: take none with data.multi_label.")
