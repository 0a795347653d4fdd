"""Table of the detector families. Pure values, without Keras."""

from dataclasses import dataclass

from tl_keras.models.detection.settings import DFineSettings, FasterRCNNSettings, RetinaNetSettings, YoloV8Settings


@dataclass(frozen=True)
class Family:
    """Describes a family of detectors.

    Attributes:
        settings: class of its settings.
        backbone: name of the default backbone.
        named_weights: names of the weights that need no file, the default first; None stands for random weights.
        sizes: names of its own networks; empty where it accepts any image backbone.
        blocks: names of the blocks of its own networks before the neck.
        last_blocks: names of the blocks after the backbone.
        coco_backbone: default backbone of a whole detector with COCO weights; None takes `backbone`.
    """

    settings: type
    backbone: str
    named_weights: tuple[str | None, ...]
    sizes: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    last_blocks: tuple[str, ...] = ("neck", "head")
    coco_backbone: str | None = None

    def default_backbone(self, weights):
        """Returns the name of the default backbone for the name of the weights."""
        return self.coco_backbone if weights == "coco" and self.coco_backbone else self.backbone


FAMILIES = {
    "faster_rcnn": Family(
        FasterRCNNSettings, "efficientnet_lite0", ("imagenet", None), last_blocks=("neck", "proposals", "head")
    ),
    "retinanet": Family(RetinaNetSettings, "efficientnet_lite0", ("imagenet", "coco", None), coco_backbone="resnet50"),
    "yolo_v8": Family(
        YoloV8Settings,
        "yolo_v8_s",
        ("coco", None),
        ("yolo_v8_xs", "yolo_v8_s", "yolo_v8_m", "yolo_v8_l", "yolo_v8_xl"),
        ("stem", "stack1", "stack2", "stack3", "stack4"),
    ),
    "d_fine": Family(
        DFineSettings,
        "d_fine_small",
        ("coco", None),
        ("d_fine_nano", "d_fine_small", "d_fine_medium", "d_fine_large", "d_fine_xlarge"),
        ("stem", "stage1", "stage2", "stage3", "stage4"),
    ),
}
