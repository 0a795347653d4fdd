"""The families of detectors, by name, and what each takes. Pure values, without Keras."""

from dataclasses import dataclass

from tl_keras.models.detection.settings import FasterRCNNSettings, RetinaNetSettings, YoloV8Settings


@dataclass(frozen=True)
class Family:
    """What is known of a family before anything is built.

    Attributes:
        settings: the class of its settings.
        backbone: what it stands on where nothing is said.
        weights: those that it begins with where nothing is said.
        stride: what the image size must be a multiple of.
        sizes: the names of its own networks; empty where it stands on any image backbone.
    """

    settings: type
    backbone: str
    weights: str
    stride: int
    sizes: tuple[str, ...] = ()


FAMILIES = {
    "faster_rcnn": Family(FasterRCNNSettings, "efficientnet_lite0", "imagenet", 32),
    "retinanet": Family(RetinaNetSettings, "efficientnet_lite0", "imagenet", 32),
    "yolo_v8": Family(
        YoloV8Settings,
        "yolo_v8_s",
        "coco",
        32,
        ("yolo_v8_xs", "yolo_v8_s", "yolo_v8_m", "yolo_v8_l", "yolo_v8_xl"),
    ),
}
