"""What can be set about a detector. Pure values, without Keras; most defaults are those of detectron2's configurations.

https://detectron2.readthedocs.io/en/latest/modules/config.html, `Base-RCNN-FPN.yaml` and `Base-RetinaNet.yaml`. They
are for images of 800 pixels and GPUs: give smaller anchors for smaller objects, and fewer samples for small machines.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DecodingSettings:
    """How predictions become detections."""

    score_threshold: float = 0.05
    """Detections below this probability are dropped, 0 to 1."""
    overlap_threshold: float = 0.5
    """Of two boxes of one class with a larger intersection over union, the one with the lower score is dropped."""
    max_detections: int = 100
    """Boxes that an image has at most; the output is padded to it."""
    max_candidates: int = 1000
    """Boxes of the best scores that go into the suppression. It bounds the work at a static shape."""


@dataclass(frozen=True)
class FasterRCNNSettings:
    """Faster R-CNN, see `build_faster_rcnn`."""

    feature_pyramid: bool = True
    """True for a feature pyramid of strides 4 to 64; False for one map of stride 16, as in the paper."""
    channels: int = 256
    """Width of the feature pyramid and of the layer that looks for proposals."""
    anchor_sizes: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)
    """Pixels. With a feature pyramid one for each level, finest first; without, all of them at each cell."""
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height by width."""
    candidates_per_level: int | None = None
    """Best anchors of each level that go into the suppression; None takes, with a feature pyramid, twice
    `num_proposals`, as detectron2 does in training, and 1000 of one map."""
    num_proposals: int = 300
    """Boxes that go into the head, in training before the sample is drawn. 300 as in Ren et al. 2015; 1000 in
    detectron2."""
    proposal_iou_threshold: float = 0.7
    """Intersection over union above which the weaker of two proposals is dropped."""
    anchor_samples: int = 256
    """Anchors of each image that the proposals learn from, at most half of them objects."""
    head_samples: int = 128
    """Proposals of each image that the head learns from, at most a quarter of them objects. 128 as in Girshick 2015;
    512 in detectron2."""
    head_units: tuple[int, ...] = (1024, 1024)
    """Widths of the head's dense layers; (4096, 4096) in the paper."""
    pool_size: int = 7
    """Bins along each side of a box."""
    sampling_ratio: int = 1
    """Points in each bin along each side. One is nearly as good as two (He et al. 2017, https://arxiv.org/abs/1703.06870,
    section 3), and a quarter of the work; 2 in torchvision."""
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    """How predictions become detections."""


@dataclass(frozen=True)
class RetinaNetSettings:
    """RetinaNet, see `build_retina_net`."""

    channels: int = 256
    """Width of the feature pyramid and of the head."""
    head_depth: int = 4
    """Convolutions of each of the head's two branches before its last one."""
    anchor_sizes: tuple[float, ...] = (32.0, 64.0, 128.0, 256.0, 512.0)
    """Pixels, one for each level of strides 8 to 128; each also 1.26 and 1.59 times as large."""
    aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Height by width."""
    anchors_at_corners: bool = False
    """Whether anchors lie around the corners of cells, by whole pixels, as torchvision's do."""
    coarse_from_backbone: bool = True
    """Whether the levels of strides 64 and 128 are made of the backbone's last map, or of the pyramid's, as in the
    first of torchvision's two RetinaNets."""
    group_norm: bool = False
    """Whether the head normalizes its channels in 32 groups, as in the second of these."""
    decoding: DecodingSettings = field(default_factory=DecodingSettings)
    """How predictions become detections."""


@dataclass(frozen=True)
class YoloV8Settings:
    """YOLOv8, see `build_yolo_v8`. A YOLO needs no anchors; its size is the name of its backbone."""

    decoding: DecodingSettings = field(default_factory=lambda: DecodingSettings(overlap_threshold=0.7))
    """How predictions become detections."""


@dataclass(frozen=True)
class DFineSettings:
    """D-FINE, see `build_d_fine`. It needs no anchors; its size is the name of its backbone."""

    num_queries: int = 300
    """Boxes that are refined, and so the most objects that an image can have; less where the maps have fewer cells."""
    decoding: DecodingSettings = field(default_factory=lambda: DecodingSettings(overlap_threshold=1.0))
    """How predictions become detections. Each object has one prediction, so that none is dropped for its overlap."""
