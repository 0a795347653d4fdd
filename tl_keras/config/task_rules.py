"""What each task takes where nothing is said, and what it cannot use."""

from dataclasses import replace

from tl_keras.config.model_config import check_backbone
from tl_keras.config.ranges import check_unused
from tl_keras.errors import InputError
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.models.texts.backbones import MINILM, TEXT_BACKBONES

TASK_DEFAULTS = {
    "image_classification": {
        "data": {"path": "emoji", "augmentation": "light", "resize": "squash"},
        "model": {"backbone": "efficientnet_lite0", "weights": "imagenet", "pooling": "average", "dropout": 0.2},
    },
    "text_classification": {
        "data": {"path": "reviews", "augmentation": "none"},
        "model": {"backbone": MINILM, "weights": "pretrained", "dropout": 0.2},
    },
    "object_detection": {
        "data": {"path": "tree_crowns", "augmentation": "light", "resize": "pad"},
    },
}
"""What a task takes where the configuration says null."""
AUGMENTATIONS = {
    "image_classification": ("none", "light", "strong", "randaugment", "mixup", "cutmix"),
    "text_classification": ("none",),
    "object_detection": ("none", "light", "mosaic"),
}
WITHOUT_EFFECT = {
    "image_classification": {"text": None, "detection": None},
    "text_classification": {
        "data": ("image_size", "resize", "path_column", "on_bad_file", "max_bad_files", "max_decoded_gigabytes"),
        "detection": None,
    },
    "object_detection": {
        "data": ("examples_per_class", "multi_label", "class_weight", "path_column"),
        "model": ("pooling", "hidden_units", "dropout", "label_smoothing", "lora_rank"),
        "text": None,
    },
}
"""Settings that a task has no use for, by part; None stands for all of a part."""


def parts_of_task(config):
    """Completes the parts of a configuration by what its task takes where they say null.

    Args:
        config: `RunConfig`.

    Returns:
        Dict from the name of a part, such as "data", to its dataclass.
    """
    defaults = TASK_DEFAULTS[config.task]
    if config.task == "object_detection":
        family = FAMILIES[config.detection.detector]
        weights = config.model.weights or family.named_weights[0]
        backbone = family.default_backbone(weights)
        defaults = defaults | {"model": {"backbone": backbone, "weights": weights}}
    completed = {}
    for part, values in defaults.items():
        given = getattr(config, part)
        missing = {name: value for name, value in values.items() if getattr(given, name) is None}
        completed[part] = replace(given, **missing)
    return completed


def check_task(config):
    """Refuses what the task of a configuration cannot use.

    Args:
        config: `RunConfig`.

    Raises:
        InputError: names the setting, and what to do.
    """
    for part, names in WITHOUT_EFFECT[config.task].items():
        check_unused(getattr(config, part), part, names, f"on {config.task}")
    {
        "image_classification": _check_images,
        "text_classification": _check_texts,
        "object_detection": _check_boxes,
    }[config.task](config)
    if config.data.augmentation not in AUGMENTATIONS[config.task]:
        raise InputError(
            f"data.augmentation {config.data.augmentation} is not for {config.task}: take "
            f"{' or '.join(AUGMENTATIONS[config.task])}."
        )
    if config.task != "object_detection" and config.data.max_train_images is not None:
        raise InputError("data.max_train_images is for boxes: give data.examples_per_class instead.")


def _check_images(config):
    check_backbone(config.model.backbone, [*BACKBONES, f"{HUB_PREFIX}PRESET"])
    if config.model.pooling == "first":
        raise InputError("model.pooling first is for texts: take average, max or concat for images.")


def _check_texts(config):
    check_backbone(config.model.backbone, TEXT_BACKBONES, folders=True)
    if config.model.pooling not in (None, "average", "first"):
        raise InputError(f"model.pooling {config.model.pooling} is for images: take average or first for texts.")


def _check_boxes(config):
    family = FAMILIES[config.detection.detector]
    check_backbone(config.model.backbone, family.sizes or [*BACKBONES, f"{HUB_PREFIX}PRESET"])
    if config.data.resize == "crop":
        raise InputError("data.resize crop would cut boxes off: take pad or squash for object_detection.")
    if config.recipe == "few_shot" and config.phases is None:
        raise InputError("recipe few_shot compares whole images, not boxes: take linear_probe_then_fine_tune.")
