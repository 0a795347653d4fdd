"""What a run is told: flags over a YAML file over defaults. Knows no TensorFlow, so that mistakes answer at once."""

import math
import os
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Literal, get_args, get_origin, get_type_hints

from tl_keras.adaptation_config import FEWEST_IN_BATCH, STATISTICS_ONLY, AdaptationConfig
from tl_keras.durations import parse_duration, parse_interval
from tl_keras.errors import InputError, unknown_name
from tl_keras.models.backbones import BACKBONES, HUB_PREFIX
from tl_keras.models.detection.families import FAMILIES
from tl_keras.models.text_backbones import MINILM, TEXT_BACKBONES
from tl_keras.phases import Phase, check_phases
from tl_keras.recipes import Recipe

MAX_IMAGE_SIZE = 4096
MAX_SEED = 2**32 - 1
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
CLASSIFICATION_ONLY = {
    "data": ("examples_per_class", "multi_label", "class_weight", "path_column"),
    "model": ("pooling", "hidden_units", "dropout", "label_smoothing", "lora_rank"),
}
"""Settings without effect on a detector."""


@dataclass(frozen=True)
class DataConfig:
    """What the model learns from."""

    path: str | None = None
    """Folder of class folders (or of train/, val/, test/), a table, tfds:NAME, or a shipped set; for boxes COCO's JSON,
    YOLO's data.yaml, a folder of VOC's XML, or a table. null takes emoji, reviews or tree_crowns by the task."""
    image_size: int | None = None
    """Side in pixels of the square images that the model sees; null takes the network's, or less for small images."""
    resize: Literal["squash", "crop", "pad"] | None = None
    """How other shapes become squares: squash distorts, crop loses the edges, pad adds borders. null takes squash, with
    boxes pad; with boxes there is no crop."""
    batch_size: int = 32
    """Images or texts in one training step, of each device where there are several."""
    augmentation: Literal["none", "light", "strong", "randaugment", "mixup", "cutmix", "mosaic"] | None = None
    """How training images are varied, drawn anew in every epoch; null takes light. Texts know none only, images with
    boxes none, light and mosaic, which others do not know."""
    examples_per_class: int | None = None
    """Train on this many labelled images of each class only: what would fewer labels have done?"""
    max_train_images: int | None = None
    """Train on this many images with boxes only: what would fewer labels have done?"""
    validation_fraction: float = 0.15
    """Share held out to watch the training, where the data comes without such a split."""
    test_fraction: float = 0.15
    """Share held out for the final test, where the data comes without such a split."""
    class_weight: Literal["none", "balanced"] = "none"
    """balanced lets rare classes count as much as frequent ones."""
    multi_label: bool = False
    """Whether an example may have several labels, written as one|two in a table."""
    path_column: str = "path"
    """Column of a table that names the image file."""
    label_column: str = "label"
    """Column of a table that names the class."""
    split_column: str = "split"
    """Column of a table that says train, validation or test; it may be absent."""
    on_bad_file: Literal["error", "skip"] = "error"
    """error stops before training at files that cannot be read, and at the same picture in two splits or with two
    labels; skip goes on without them and lists them in the report and in skipped.txt."""
    max_bad_files: float = 0.01
    """Largest share of the files that skip may leave out, 0 to 1."""
    max_decoded_gigabytes: float = 2.0
    """Images are decoded once and kept in memory up to this size; beyond it they are decoded again in every epoch."""

    def __post_init__(self):
        """Refuses an empty path, numbers that no data could satisfy and settings that exclude each other."""
        if self.path == "":
            raise InputError("data.path is empty: give a folder, a table, tfds:NAME or the name of a shipped set.")
        _check_least(self, "data", {"image_size": 32, "batch_size": 1, "examples_per_class": 1, "max_train_images": 1})
        if self.image_size is not None and self.image_size > MAX_IMAGE_SIZE:
            raise InputError(f"data.image_size must be at most {MAX_IMAGE_SIZE} pixels: got {self.image_size}.")
        for name in ("validation_fraction", "test_fraction"):
            if not 0 < getattr(self, name) < 0.5:
                raise InputError(f"data.{name} must lie between 0 and 0.5: got {getattr(self, name)}.")
        if not 0 <= self.max_bad_files <= 1:
            raise InputError(f"data.max_bad_files must lie from 0 to 1: got {self.max_bad_files}.")
        if not 0 <= self.max_decoded_gigabytes < math.inf:
            raise InputError(f"data.max_decoded_gigabytes must be 0 or more: got {self.max_decoded_gigabytes}.")
        if self.multi_label and self.class_weight == "balanced":
            raise InputError("data.class_weight balanced needs one label per example: take none with data.multi_label.")


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
            _check_backbone(self.backbone, names, folders=True)
        _check_least(self, "model", {"hidden_units": 1, "lora_rank": 1})
        for name in ("dropout", "label_smoothing"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) < 1:
                raise InputError(f"model.{name} must lie from 0 to below 1: got {getattr(self, name)}.")


@dataclass(frozen=True)
class TextConfig:
    """How texts are read; only for the tasks of text."""

    text_column: str = "text"
    """Column of a table, or feature of TensorFlow Datasets, that holds the texts."""
    second_text_column: str | None = None
    """Column of the second text of each pair; null has no pairs."""
    max_tokens: int = 128
    """Most tokens of a text that the model sees, special ones included."""
    truncation: Literal["head", "tail", "head_tail"] = "head"
    """What stays of a longer text: its beginning, its end, or a quarter of the room for the one, the rest for the
    other."""
    windows: int = 1
    """Into how many pieces of max_tokens a longer text is split, whose logits are averaged; each learns the label of
    the whole. Truncation cuts what does not fit into them."""
    tokens_per_batch: int | None = None
    """Most tokens of a batch, padding included; null chooses it by the batch size."""

    def __post_init__(self):
        """Refuses numbers out of range, and windows of pairs."""
        _check_least(self, "text", {"max_tokens": 8, "tokens_per_batch": 1, "windows": 1})
        if self.windows > 1 and self.second_text_column is not None:
            raise InputError(
                f"text.windows is {self.windows}, but pairs of texts are not split: leave it out, or "
                "text.second_text_column."
            )


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
        _check_least(self, "detection", {"channels": 8, "num_proposals": 1, "max_detections": 1})
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


@dataclass(frozen=True)
class OptimizerConfig:
    """How a step is made of gradients, by AdamW."""

    weight_decay: float = 0.01
    """Decay of the kernels, in proportion to their learning rate."""
    clip_norm: float | None = None
    """Longest that the gradient of all weights together may be; null cuts nothing."""
    accumulation_steps: int = 1
    """Batches whose gradients make one step: larger batches than memory would hold."""
    ema_momentum: float | None = None
    """Each phase ends with the moving average of its weights, of this momentum, such as 0.99; null: the last ones."""

    def __post_init__(self):
        """Refuses numbers out of range."""
        _check_least(self, "optimizer", {"accumulation_steps": 1})
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"optimizer.weight_decay must be 0 or more: got {self.weight_decay}.")
        if self.clip_norm is not None and not 0 < self.clip_norm < math.inf:
            raise InputError(f"optimizer.clip_norm must be above 0: got {self.clip_norm}.")
        if self.ema_momentum is not None and not 0 < self.ema_momentum < 1:
            raise InputError(f"optimizer.ema_momentum must lie between 0 and 1: got {self.ema_momentum}.")


@dataclass(frozen=True)
class CacheConfig:
    """Whether what frozen blocks compute is computed once and kept."""

    mode: Literal["auto", "on", "off"] = "auto"
    """auto keeps activations where that saves time, and of augmented images only where views are given; on insists; off
    never keeps any."""
    views: int | None = None
    """Augmented versions of each image to keep, one for each epoch in turn; null keeps nothing of augmented data."""
    storage: Literal["auto", "memory", "disk"] = "auto"
    """Where: auto takes the disk where a folder is given or half of the free memory does not suffice."""
    max_gigabytes: float = 8.0
    """Memory that the activations may take, or the folder of all runs."""
    folder: str | None = None
    """Folder on the disk, where other runs over the same data find them; null takes one in the user's cache."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """bfloat16 halves what float32 takes and rounds to 3 digits; null keeps what the network computes, exactly."""

    def __post_init__(self):
        """Refuses numbers out of range."""
        _check_least(self, "cache", {"views": 1})
        if not 0 < self.max_gigabytes < math.inf:
            raise InputError(f"cache.max_gigabytes must be above 0: got {self.max_gigabytes}.")
        if self.storage == "memory" and self.folder is not None:
            raise InputError(f"cache.folder {self.folder!r} lies on the disk, cache.storage is memory: leave one out.")


@dataclass(frozen=True)
class RunConfig:
    """One training run, from data to report."""

    task: Literal["image_classification", "text_classification", "object_detection"] = "image_classification"
    """What is to be learned."""
    data: DataConfig = field(default_factory=DataConfig)
    """What the model learns from."""
    text: TextConfig = field(default_factory=TextConfig)
    """How texts are read; only for the tasks of text."""
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    """How objects are found; only for the task of boxes."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """What learns."""
    cache: CacheConfig = field(default_factory=CacheConfig)
    """Whether what frozen blocks compute is computed once and kept."""
    adaptation: AdaptationConfig = field(default_factory=AdaptationConfig)
    """Whether the model is adapted to another domain, whose labels are not used; not for boxes."""
    recipe: Recipe = "progressive_unfreezing"
    """Technique of transfer that chooses the phases by the amount of data; few_shot is for 8 to 64 examples of a class,
    one label each."""
    unfreeze_from: str | None = None
    """Earliest block that the recipe ever lets learn, such as block5; null chooses it by the amount of data."""
    epochs: int | None = None
    """Epochs of the whole run, shared among the recipe's phases; null chooses them by the amount of data."""
    learning_rate: float | None = None
    """Peak learning rate of the recipe's first phase, the others in proportion; null takes those of the recipe."""
    block_decay: float | None = None
    """Share of the next block's rate that each block of the backbone learns at, up to 1; null takes 0.7."""
    phases: list[Phase] | None = None
    """Phases written by hand instead of a recipe, as {train: block5, epochs: 3, learning_rate: 1e-4}."""
    max_time: str | None = None
    """Time that loading and training may take, such as 10m or 1h30m; the phases share it. null: as long as it takes."""
    checkpoint_every: str = "5m"
    """Time or steps between checkpoints within an epoch, such as 30s or 200 steps; it changes no weight."""
    batch_norm: Literal["inference", "recalibrate", "train"] = "inference"
    """inference keeps its statistics, recalibrate estimates them once on the new data, train lets them follow."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """How a step is made of gradients, by AdamW."""
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """Arithmetic of the network, the head always in float32; auto takes bfloat16 where the processor computes in it."""
    xla: bool = False
    """Compile with XLA: often faster on GPUs and TPUs, slower for convolutions on CPUs."""
    distribute: Literal["auto", "cpu", "gpu", "mirrored", "multi_worker", "tpu"] = "auto"
    """Where to train: cpu or gpu is one device, mirrored all of this machine, multi_worker those that TF_CONFIG names.
    auto takes what TF_CONFIG, TPU_NAME or the number of GPUs calls for. A step is over data.batch_size examples of each
    device."""
    scale_learning_rate: bool = True
    """Multiply the learning rate by the number of devices, whose batches make one step, and warm it up."""
    seed: int = 0
    """Fixes the split, the order of the data, the augmentation and the random weights."""
    deterministic: bool = False
    """The same command on the same machine, versions and number of cores gives the same bits; slower on GPUs, where
    some operations are refused. Other machines or numbers of cores round otherwise."""
    run: str | None = None
    """Folder of the run; null makes runs/NAME-TIME. An interrupted run in it goes on, a finished one is shown."""
    resume: Literal["auto", "must", "never"] = "auto"
    """auto goes on with the run in the folder, or starts one; must refuses a folder without one, never one with."""

    def __post_init__(self):
        """Refuses an empty list of phases, settings that these leave without effect, and numbers out of range."""
        self._take_defaults_of_task()
        self._check_task()
        if self.phases is not None:
            check_phases(self.phases)
            for name in ("unfreeze_from", "epochs", "learning_rate", "block_decay"):
                if getattr(self, name) is not None:
                    raise InputError(
                        f"{name} shapes a recipe, but phases are given: set it in the phases, or leave them out."
                    )
        self._check_objective()
        self._check_cache()
        self._check_adaptation()
        if self.resume == "must" and self.run is None:
            raise InputError("resume must needs the folder of the run to go on with: give --run FOLDER.")
        _check_least(self, "", {"epochs": 1, "seed": 0})
        if self.seed > MAX_SEED:
            raise InputError(f"seed must be at most {MAX_SEED}: got {self.seed}.")
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate must be above 0: got {self.learning_rate}.")
        if self.block_decay is not None and not 0 < self.block_decay <= 1:
            raise InputError(f"block_decay must lie above 0 and up to 1: got {self.block_decay}.")
        if self.max_time is not None:
            parse_duration(self.max_time)
        parse_interval(self.checkpoint_every)

    def _take_defaults_of_task(self):
        task_defaults = TASK_DEFAULTS[self.task]
        if self.task == "object_detection":
            family = FAMILIES[self.detection.detector]
            weights = self.model.weights or family.named_weights[0]
            backbone = family.default_backbone(weights)
            task_defaults = task_defaults | {"model": {"backbone": backbone, "weights": weights}}
        for part, defaults in task_defaults.items():
            config = getattr(self, part)
            missing = {name: value for name, value in defaults.items() if getattr(config, name) is None}
            # The class is frozen for others; here it is still being made.
            object.__setattr__(self, part, replace(config, **missing))

    def _check_task(self):
        {
            "image_classification": self._check_images,
            "text_classification": self._check_texts,
            "object_detection": self._check_boxes,
        }[self.task]()
        if self.data.augmentation not in AUGMENTATIONS[self.task]:
            raise InputError(
                f"data.augmentation {self.data.augmentation} is not for {self.task}: take "
                f"{' or '.join(AUGMENTATIONS[self.task])}."
            )
        if self.task != "object_detection" and self.data.max_train_images is not None:
            raise InputError("data.max_train_images is for boxes: give data.examples_per_class instead.")

    def _check_images(self):
        _check_backbone(self.model.backbone, [*BACKBONES, f"{HUB_PREFIX}PRESET"])
        if self.model.pooling == "first":
            raise InputError("model.pooling first is for texts: take average, max or concat for images.")

    def _check_texts(self):
        _check_backbone(self.model.backbone, TEXT_BACKBONES, folders=True)
        if self.model.pooling not in (None, "average", "first"):
            raise InputError(f"model.pooling {self.model.pooling} is for images: take average or first for texts.")

    def _check_boxes(self):
        family = FAMILIES[self.detection.detector]
        _check_backbone(self.model.backbone, family.sizes or [*BACKBONES, f"{HUB_PREFIX}PRESET"])
        for part, names in CLASSIFICATION_ONLY.items():
            config, usual = getattr(self, part), type(getattr(self, part))()
            for name in names:
                if getattr(config, name) != getattr(usual, name):
                    raise InputError(f"{part}.{name} is for classification: leave it out for object_detection.")
        if self.data.resize == "crop":
            raise InputError("data.resize crop would cut boxes off: take pad or squash for object_detection.")
        if self.recipe == "few_shot" and self.phases is None:
            raise InputError("recipe few_shot compares whole images, not boxes: take linear_probe_then_fine_tune.")

    def _check_objective(self):
        contrastive = any(phase.objective == "contrastive" for phase in self.phases or ())
        if self.data.multi_label and (contrastive or (self.phases is None and self.recipe == "few_shot")):
            raise InputError(
                "few_shot compares examples of one label each, but data.multi_label is true: take "
                "linear_probe_then_fine_tune."
            )

    def _check_adaptation(self):
        method = self.adaptation.method
        if self.adaptation.target is None:
            return
        if self.task != "text_classification" and self.adaptation.masked_epochs is not None:
            raise InputError("adaptation.masked_epochs hides words of texts: leave it out for this task.")
        if self.task == "object_detection":
            raise InputError("adaptation is for classification: leave it out for object_detection.")
        if self.data.multi_label:
            raise InputError("adaptation needs one label per example, but data.multi_label is true: leave one out.")
        if self.task == "text_classification" and method in STATISTICS_ONLY:
            raise InputError(
                f"adaptation.method {method} changes batch normalization, which text encoders do not have: take mcc, "
                "deep_coral, mmd, dann or self_training."
            )
        if self.data.batch_size < FEWEST_IN_BATCH.get(method, 1):
            raise InputError(
                f"adaptation.method {method} needs statistics of a batch: got data.batch_size {self.data.batch_size}, "
                f"expected at least {FEWEST_IN_BATCH[method]}."
            )

    def _check_cache(self):
        augmented = self.data.augmentation != "none"
        if self.cache.views is not None and not augmented:
            raise InputError(
                f"cache.views={self.cache.views} keeps augmented versions, but data.augmentation is none: "
                "leave cache.views out, or choose an augmentation."
            )
        if self.cache.mode == "on" and augmented and self.cache.views is None:
            raise InputError(
                f"cache.mode on cannot keep images that are augmented anew ({self.data.augmentation}): "
                "give cache.views, the number of versions to keep, or data.augmentation none."
            )


def check_keys(mapping, config_class=RunConfig, prefix=""):
    """Refuses what the configuration does not know, at any depth: keys, text for keys, null where it means nothing.

    The parser would take such a text, or the key `class_path`, for the name of a class and import its module.

    Args:
        mapping: nested dict, as read from a YAML file.
        config_class: dataclass that the mapping describes.
        prefix: where the mapping stands, such as "data.".

    Raises:
        InputError: names the key and the nearest valid one.
    """
    if not isinstance(mapping, dict):
        raise InputError(
            f"{prefix.rstrip('.') or 'The configuration'} must be a mapping of keys to values: got {mapping!r}."
        )
    known = get_type_hints(config_class)
    for key, value in mapping.items():
        if key not in known:
            raise unknown_name("configuration key", f"{prefix}{key}", [f"{prefix}{name}" for name in known])
        if value is None and not is_dataclass(known[key]) and type(None) not in get_args(known[key]):
            raise InputError(f"{prefix}{key} is null, which means nothing here: give a value, or leave it out.")
        _check_part(value, known[key], f"{prefix}{key}")


def _check_part(value, kind, place):
    """Looks for dataclasses in the type of a key, as in `Plateau | None` or `list[Phase] | None`."""
    if is_dataclass(kind):
        check_keys(value, kind, f"{place}.")
    elif get_origin(kind) is list and is_dataclass(get_args(kind)[0]):
        if not isinstance(value, list):
            raise InputError(f"{place}: expected list, got {value!r}.")
        for number, item in enumerate(value, start=1):
            check_keys(item, get_args(kind)[0], f"{place}[{number}].")
    elif value is not None:
        for option in get_args(kind):
            _check_part(value, option, place)


def flag_names(config_class=RunConfig, prefix="--"):
    """Lists every flag that the configuration answers to, such as `--data.batch_size`."""
    names = []
    for name, kind in get_type_hints(config_class).items():
        names.append(f"{prefix}{name}")
        if is_dataclass(kind):
            names += flag_names(kind, f"{prefix}{name}.")
    return names


def _check_backbone(name, known, folders=False):
    for others, things in ((BACKBONES, "images"), (TEXT_BACKBONES, "texts")):
        if name in others and name not in known:
            raise InputError(f"model.backbone {name} is for {things}: leave it out, or take such as {known[0]}.")
    if name not in known and not name.startswith(HUB_PREFIX) and not (folders and os.sep in name):
        raise unknown_name("model.backbone", name, known)


def _check_least(config, prefix, bounds):
    for name, least in bounds.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise InputError(f"{prefix}{'.' if prefix else ''}{name} must be at least {least}: got {value}.")
