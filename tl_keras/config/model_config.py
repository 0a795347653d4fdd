"""What a run is told about its model."""

import os
from dataclasses import dataclass
from typing import Literal

from tl_keras.config.ranges import check_least
from tl_keras.errors import InputError, unknown_name
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.models.texts.backbones import TEXT_BACKBONES
from tl_keras.system.documented_fields import document_fields


@document_fields
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
        """Refuses an unknown backbone and shares outside 0 to 1."""
        if self.backbone is not None:
            sizes = [size for family in FAMILIES.values() for size in family.sizes]
            names = [*BACKBONES, f"{HUB_PREFIX}PRESET", *TEXT_BACKBONES, *sizes]
            check_backbone(self.backbone, names, folders=True)
        check_least(self, "model", {"hidden_units": 1, "lora_rank": 1})
        for name in ("dropout", "label_smoothing"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) < 1:
                raise InputError(f"model.{name} must lie from 0 to below 1: got {getattr(self, name)}.")


def check_backbone(name, known, folders=False):
    """Refuses a backbone that is unknown, or not for the task.

    Args:
        name: what was given.
        known: list of the names that are meant.
        folders: whether a path passes, too.

    Raises:
        InputError: names the nearest one.
    """
    for others, things in ((BACKBONES, "images"), (TEXT_BACKBONES, "texts")):
        if name in others and name not in known:
            raise InputError(f"model.backbone {name} is for {things}: leave it out, or take such as {known[0]}.")
    if name not in known and not name.startswith(HUB_PREFIX) and not (folders and os.sep in name):
        raise unknown_name("model.backbone", name, known)
