"""What a run is told about the detection of objects."""

from dataclasses import dataclass, field, fields
from typing import Literal

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError
from tl_keras.models.detection.families import FAMILIES
from tl_keras.system.documented_fields import document_fields


@document_fields
@dataclass(frozen=True)
class DetectionConfig:
    """How objects are found; only for the task of boxes."""

    detector: Literal["faster_rcnn", "retinanet", "yolo_v8", "d_fine"] = "faster_rcnn"
    """faster_rcnn and retinanet stand on any image backbone; yolo_v8 and d_fine have networks of their own."""
    feature_pyramid: bool | None = None
    """Of Faster R-CNN: false looks at one map of stride 16, as the paper does with vgg16. null takes true."""
    channels: int | None = None
    """Width of the feature pyramid and what looks at it; null takes 256, of which few classes need a quarter."""
    anchor_sizes: list[float] | None = None
    """Sides in pixels of the boxes that are tried, finest level first; null follows the boxes of the training data."""
    head_units: list[int] | None = None
    """Of Faster R-CNN: widths of the dense layers of its head; null takes 1024 and 1024."""
    num_proposals: int | None = None
    """Of Faster R-CNN: boxes that its head looks at in an image; null takes 300."""
    score_threshold: float = 0.05
    """Objects of a lower score are never told; what `predict` shows follows from the validation images."""
    overlap_threshold: float | None = None
    """Of two boxes of a class with a larger overlap only the surer is told; null takes the detector's, 0.5 or 0.7."""
    max_detections: int = 100
    """Most objects of an image."""
    box_format: Literal["xyxy", "xywh"] | None = None
    """How boxes are written in a table (null: xyxy) or in COCO's JSON (null: xywh)."""
    box_columns: list[str] = field(default_factory=lambda: ["xmin", "ymin", "xmax", "ymax"])
    """Of a table with a box in each row: the columns of its coordinates in pixels."""
    on_bad_box: Literal["error", "skip"] = "error"
    """error stops before training at boxes that are none; skip leaves them out and says so."""

    def __post_init__(self):
        """Refuses numbers out of range, and what the detector does not have."""
        check_least(self, "detection", {"channels": 8, "num_proposals": 1, "max_detections": 1})
        for name in ("score_threshold", "overlap_threshold"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) <= 1:
                raise InputError(f"detection.{name} must lie from 0 to 1: got {getattr(self, name)}.")
        for name in ("anchor_sizes", "head_units"):
            if getattr(self, name) is not None and not (getattr(self, name) and min(getattr(self, name)) > 0):
                raise InputError(f"detection.{name} must be numbers above 0: got {getattr(self, name)}.")
        if len(self.box_columns) != 4:
            raise InputError(f"detection.box_columns must be 4 columns of a table: got {self.box_columns}.")
        known = {field.name for field in fields(FAMILIES[self.detector].settings)}
        for name in ("feature_pyramid", "channels", "anchor_sizes", "head_units", "num_proposals"):
            if getattr(self, name) is not None and name not in known:
                raise InputError(f"detection.{name} is not for {self.detector}, which has no such: leave it out.")
