"""Settings of object detection."""

from dataclasses import field, fields
from typing import Literal

from tl_keras.config.ranges import check_minimum, check_unused
from tl_keras.errors import InputError
from tl_keras.models.detection.families import FAMILIES
from tl_keras.system.documented_fields import documented_dataclass

MAX_BOXES = 8192
"""Maximum number of boxes per image. Saved models with settings above twice this number are never opened."""


@documented_dataclass
class DetectionConfig:
    """Settings of the detector; object detection only."""

    detector: Literal["faster_rcnn", "retinanet", "yolo_v8", "d_fine"] = "faster_rcnn"
    """Detector family: faster_rcnn and retinanet accept any image backbone; yolo_v8 and d_fine have their own."""
    feature_pyramid: bool | None = None
    """Whether Faster R-CNN uses a feature pyramid instead of a single feature map of stride 16, as in its paper with
    vgg16. By default true."""
    channels: int | None = None
    """Number of channels of the feature pyramid and the layers on it, at least 8. By default 256; a quarter is enough
    for few classes."""
    anchor_sizes: list[float] | None = None
    """Sides of the anchor boxes in pixels, finest level first, each above 0. By default they follow the boxes of the
    training data."""
    head_units: list[int] | None = None
    """Units of the dense layers in the head of Faster R-CNN, each above 0. By default [1024, 1024]."""
    num_proposals: int | None = None
    """Number of proposals per image that the head of Faster R-CNN classifies, 1 to 8192. By default 300."""
    score_threshold: float = 0.05
    """Minimum score of a detection, from 0 to 1; the threshold that `predict` uses is chosen on the validation
    images."""
    overlap_threshold: float | None = None
    """IoU threshold of non-maximum suppression, from 0 to 1: of two boxes of a class with a higher IoU only the more
    confident one is kept. By default that of the detector, 0.5 or 0.7."""
    max_detections: int = 100
    """Maximum number of detections per image, 1 to 8192."""
    box_format: Literal["xyxy", "xywh"] | None = None
    """Format of the boxes: corners (xyxy) or corner and size (xywh). By default xyxy in a table and xywh in a COCO JSON
    file."""
    box_columns: list[str] = field(default_factory=lambda: ["xmin", "ymin", "xmax", "ymax"])
    """Columns with the 4 coordinates in pixels, in a table with one box per row."""
    on_bad_box: Literal["error", "skip"] = "error"
    """Invalid boxes: error stops before training; skip leaves them out with a note."""

    def __post_init__(self):
        """Checks that numbers are in range and that the detector has the settings."""
        check_minimum(self, "detection.", channels=8, num_proposals=1, max_detections=1)
        for name in ("num_proposals", "max_detections"):
            if (getattr(self, name) or 0) > MAX_BOXES:
                raise InputError(f"detection.{name} must be at most {MAX_BOXES}: got {getattr(self, name)}.")
        for name in ("score_threshold", "overlap_threshold"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) <= 1:
                raise InputError(f"detection.{name} must lie from 0 to 1: got {getattr(self, name)}.")
        for name in ("anchor_sizes", "head_units"):
            if getattr(self, name) is not None and not (getattr(self, name) and min(getattr(self, name)) > 0):
                raise InputError(f"detection.{name} must be numbers above 0: got {getattr(self, name)}.")
        if len(self.box_columns) != 4:
            raise InputError(f"detection.box_columns must name 4 columns of a table: got {self.box_columns}.")
        known = {field.name for field in fields(FAMILIES[self.detector].settings)}
        unknown = {"feature_pyramid", "channels", "anchor_sizes", "head_units", "num_proposals"} - known
        check_unused(self, "detection.", unknown, f"on {self.detector}")
