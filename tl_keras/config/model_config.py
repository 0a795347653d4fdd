"""What a run is told about its model."""

from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError


@dataclass(frozen=True)
class ModelConfig:
    """What learns."""

    backbone: str | None = None
    """Pretrained network, such as vgg16 or keras_hub:PRESET for images, minilm or bert_base_en for texts, or a local
    folder. null takes efficientnet_lite0 or minilm, whose weights come with pip, and of YOLOv8 and D-FINE the small
    size."""
    weights: str | None = None
    """null for the network's own (images: imagenet; texts: pretrained), none (random: the honest comparison), coco
    (a whole detector), or a local .weights.h5, .h5, .keras file or run folder."""
    weights_sha256: str | None = None
    """SHA-256 that a local weights file must have."""
    pooling: Literal["average", "max", "concat", "first"] | None = None
    """How features become a vector: of images average, max or concat of both; of texts average, or first for the first
    token. null takes average, or what the text encoder was trained for."""
    hidden_units: int | None = None
    """Width of a hidden layer in the head; null has none."""
    dropout: float | None = None
    """Share of the features dropped before the last layer while training; null takes 0.2."""
    lora_rank: int | None = None
    """The backbone learns through additions of this rank to its dense layers, such as 8; null through its weights."""
    label_smoothing: float = 0.0
    """Share of the label spread over the other classes, against overconfidence."""

    def __post_init__(self):
        """Refuses numbers out of range; which backbones there are depends on the task."""
        check_least(self, "model", {"hidden_units": 1, "lora_rank": 1})
        for name in ("dropout", "label_smoothing"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) < 1:
                raise InputError(f"model.{name} must lie from 0 to below 1: got {getattr(self, name)}.")
