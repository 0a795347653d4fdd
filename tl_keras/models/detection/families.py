"""The families of detectors, by name, and what each takes. Pure values, without Keras."""

from dataclasses import dataclass

from tl_keras.models.detection.settings import DFineSettings, FasterRCNNSettings, RetinaNetSettings, YoloV8Settings


@dataclass(frozen=True)
class Family:
    """What is known of a family before anything is built.

    Attributes:
        settings: the class of its settings.
        backbone: what it stands on where nothing is said.
        named_weights: those that need no file, first those that it begins with where nothing is said; None is random.
        sizes: the names of its own networks; empty where it stands on any image backbone.
        whole_backbone: what it stands on where all of it comes with COCO's weights; None: `backbone`.
    """

    settings: type
    backbone: str
    named_weights: tuple[str | None, ...]
    sizes: tuple[str, ...] = ()
    whole_backbone: str | None = None

    def default_backbone(self, weights):
        """Returns what it stands on where nothing is said, by the name of its weights."""
        return self.whole_backbone if weights == "coco" and self.whole_backbone else self.backbone


FAMILIES = {
    "faster_rcnn": Family(FasterRCNNSettings, "efficientnet_lite0", ("imagenet", None)),
    "retinanet": Family(RetinaNetSettings, "efficientnet_lite0", ("imagenet", "coco", None), whole_backbone="resnet50"),
    "yolo_v8": Family(
        YoloV8Settings,
        "yolo_v8_s",
        ("coco", None),
        ("yolo_v8_xs", "yolo_v8_s", "yolo_v8_m", "yolo_v8_l", "yolo_v8_xl"),
    ),
    "d_fine": Family(
        DFineSettings,
        "d_fine_small",
        ("coco", None),
        ("d_fine_nano", "d_fine_small", "d_fine_medium", "d_fine_large", "d_fine_xlarge"),
    ),
}
