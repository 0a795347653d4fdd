"""Settings of the model."""

from tl_keras.config.ranges import check_minimum
from tl_keras.errors import InputError
from tl_keras.models.head_options import Pooling, check_head_blocks
from tl_keras.system.documented_fields import documented_dataclass


@documented_dataclass
class ModelConfig:
    """Settings of the network: backbone, initial weights and head."""

    backbone: str | None = None
    """Pretrained network: for images one such as vgg16 or keras_hub:PRESET, for texts one such as minilm or
    bert_base_en, or a local folder. By default efficientnet_lite0 or minilm, whose weights are installed with pip, and
    the small size of YOLOv8 and D-FINE."""
    weights: str | None = None
    """Initial weights: none (random, as a baseline), coco (a whole detector), or a local .weights.h5, .h5 or .keras
    file or run folder. By default the pretrained weights of the backbone (imagenet for images, pretrained for
    texts)."""
    weights_sha256: str | None = None
    """Expected SHA-256 of a local weights file, 64 hexadecimal digits. By default the file is not checked."""
    pooling: Pooling | None = None
    """Pooling of the features to a vector: average, max or concat (both) for images; average or first (the first token)
    for texts. By default average, or the pooling that the text encoder was trained with."""
    head_blocks: list[str] | str | None = None
    """Blocks of the backbone whose pooled outputs the head reads: last, all, or a list such as [block4, block5]. By
    default last. All helps where the data are far from those of the pretrained weights."""
    hidden_units: int | None = None
    """Units of a hidden layer in the head, at least 1. By default there is no hidden layer."""
    dropout: float | None = None
    """Dropout rate before the last layer, from 0 to below 1. By default 0.2."""
    lora_rank: int | None = None
    """LoRA rank of the backbone's dense layers, at least 1, for example 8. By default the full weights are trained."""
    label_smoothing: float = 0.0
    """Share of each label that is spread over all classes, from 0 to below 1; reduces overconfidence."""

    def __post_init__(self):
        """Checks that numbers are in range; the task checks the backbone."""
        if self.head_blocks is not None:
            check_head_blocks(self.head_blocks)
        check_minimum(self, "model.", hidden_units=1, lora_rank=1)
        for name in ("dropout", "label_smoothing"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) < 1:
                raise InputError(f"model.{name} must lie from 0 to below 1: got {getattr(self, name)}.")
