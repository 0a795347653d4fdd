"""Settings of detectors. Pure values, without Keras.

Most defaults are those of detectron2 (https://detectron2.readthedocs.io/en/latest/modules/config.html,
`Base-RCNN-FPN.yaml` and `Base-RetinaNet.yaml`), for images of 800 pixels and GPUs: use smaller anchors for smaller
objects, and smaller samples on slower machines.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DecodingSettings:
    """Settings for the decoding of predictions to detections.

    Saved models contain them, so the names of the fields must stay.
    """

    score_threshold: float = 0.05
    """Minimum probability of a detection, 0 to 1."""
    overlap_threshold: float = 0.5
    """IoU, 0 to 1, above which the less confident of two boxes of one class is dropped."""
    max_detections: int = 100
    """Maximum number of detections per image; the output is padded to it."""
    max_candidates: int = 1000
    """Maximum number of boxes, those with the best scores, that enter non-maximum suppression."""


@dataclass(frozen=True)
class FasterRCNNSettings:
    """Settings of Faster R-CNN, see `build_faster_rcnn`."""

    feature_pyramid: bool = True
    """True for a feature pyramid of strides 4 to 64; False for one map of stride 16, as in the paper."""
    channels: int = 256
    """Width of the feature pyramid and of the proposal network."""
    anchor_sizes: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)
    """Pixels; with a feature pyramid one per level, finest first, else all of them at each cell."""
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height divided by width."""
    candidates_per_level: int | None = None
    """Number of best anchors of each level that enter non-maximum suppression; None takes twice `num_proposals` with a
    feature pyramid, as detectron2 in training, and 1000 for a single map."""
    num_proposals: int = 300
    """Number of boxes that enter the head, in training before sampling; 300 in Ren et al. 2015, 1000 in detectron2."""
    proposal_iou_threshold: float = 0.7
    """IoU above which the less confident of two proposals is dropped, 0 to 1."""
    anchor_samples: int = 256
    """Number of anchors per image that train the proposals, at most half of them objects."""
    head_samples: int = 128
    """Number of proposals per image that train the head, at most a quarter of them objects; 128 in Girshick 2015, 512
    in detectron2."""
    head_units: tuple[int, ...] = (1024, 1024)
    """Widths of the head's dense layers; (4096, 4096) in the paper."""
    pool_size: int = 7
    """Bins along each side of a box."""
    sampling_ratio: int = 1
    """Points in each bin along each side; 2 in torchvision. One is nearly as accurate as two (He et al. 2017,
    https://arxiv.org/abs/1703.06870, section 3) at a quarter of the cost."""
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    """Settings for the decoding of predictions."""


@dataclass(frozen=True)
class RetinaNetSettings:
    """Settings of RetinaNet, see `build_retina_net`."""

    channels: int = 256
    """Width of the feature pyramid and of the head."""
    head_depth: int = 4
    """Number of convolutions in each of the head's two branches before the last one."""
    anchor_sizes: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)
    """Pixels, one per level of strides 8 to 128; each level also has anchors 1.26 and 1.59 times as large."""
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height divided by width."""
    anchors_at_corners: bool = False
    """True centres anchors on the corners of cells, in whole pixels, as torchvision does."""
    coarse_from_backbone: bool = True
    """True computes the levels of strides 64 and 128 from the backbone's last map, False from that of the pyramid, as
    in the first of torchvision's two RetinaNets."""
    group_norm: bool = False
    """True adds group normalization with 32 groups to the head, as in torchvision's second RetinaNet."""
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    """Settings for the decoding of predictions."""


@dataclass(frozen=True)
class YoloV8Settings:
    """Settings of YOLOv8, see `build_yolo_v8`. It has no anchors; the name of its backbone states its size."""

    decoding: DecodingSettings = field(default_factory=lambda: DecodingSettings(overlap_threshold=0.7))
    """Settings for the decoding of predictions."""


@dataclass(frozen=True)
class DFineSettings:
    """Settings of D-FINE, see `build_d_fine`. It has no anchors; the name of its backbone states its size."""

    num_queries: int = 300
    """Number of refined boxes, the maximum number of objects per image; at most the number of cells of the maps."""
    decoding: DecodingSettings = field(default_factory=lambda: DecodingSettings(overlap_threshold=1.0))
    """Settings for the decoding of predictions. Each object has one prediction, so nothing is suppressed by default."""
