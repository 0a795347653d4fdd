"""What a run is told: one training, from data to report."""

from dataclasses import dataclass, field
from typing import Literal

from tl_keras.config.adaptation_config import MIN_IN_BATCH, STATISTICS_ONLY, AdaptationConfig
from tl_keras.config.cache_config import CacheConfig
from tl_keras.config.data_config import DataConfig
from tl_keras.config.detection_config import DetectionConfig
from tl_keras.config.model_config import ModelConfig
from tl_keras.config.optimizer_config import OptimizerConfig
from tl_keras.config.ranges import check_above_zero, check_least
from tl_keras.config.task_rules import check_task, complete_parts, find_task
from tl_keras.config.text_config import TextConfig
from tl_keras.errors import InputError
from tl_keras.phases import Phase, check_phases
from tl_keras.recipes import Recipe
from tl_keras.system.documented_fields import document_fields
from tl_keras.system.durations import parse_duration, parse_interval

MAX_SEED = 2**32 - 1


@document_fields
@dataclass(frozen=True)
class RunConfig:
    """One training run, from data to report."""

    task: str = "image_classification"
    """Kind of problem: image_classification, text_classification or object_detection."""
    data: DataConfig = field(default_factory=DataConfig)
    """Data that the model is trained on."""
    text: TextConfig = field(default_factory=TextConfig)
    """How texts are read; only for the tasks of text."""
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    """How objects are found; only for the task of boxes."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """Network: backbone, initial weights and head."""
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
    steps_per_execution: int | None = None
    """Steps that several devices take without a word to the host; null takes 32 on a TPU, else 1. No weight depends on
    it."""
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
        """Completes the defaults of the task and refuses settings that have no effect or are out of range."""
        task = find_task(self.task)
        for part, completed in complete_parts(self, task).items():
            # The class is frozen only once it is complete.
            object.__setattr__(self, part, completed)
        check_task(self, task)
        if self.phases is not None:
            check_phases(self.phases)
            for name in ("unfreeze_from", "epochs", "learning_rate", "block_decay"):
                if getattr(self, name) is not None:
                    raise InputError(
                        f"{name} shapes a recipe, but phases are given: set it in the phases, or leave them out."
                    )
        elif self.recipe == "feature_extraction":
            of_blocks = {
                "unfreeze_from": self.unfreeze_from,
                "block_decay": self.block_decay,
                "model.lora_rank": self.model.lora_rank,
            }
            for name, value in of_blocks.items():
                if value is not None:
                    raise InputError(
                        f"{name} is for blocks before the head, which recipe feature_extraction never trains: take "
                        "another recipe, or leave it out."
                    )
        self._check_objective()
        self._check_cache()
        self._check_adaptation(task)
        if self.resume == "must" and self.run is None:
            raise InputError("resume must needs the folder of the run to go on with: give --run FOLDER.")
        check_least(self, "", {"epochs": 1, "steps_per_execution": 1, "seed": 0})
        if self.seed > MAX_SEED:
            raise InputError(f"seed must be at most {MAX_SEED}: got {self.seed}.")
        check_above_zero(self, "", "learning_rate")
        if self.block_decay is not None and not 0 < self.block_decay <= 1:
            raise InputError(f"block_decay must lie above 0 and up to 1: got {self.block_decay}.")
        if self.max_time is not None:
            parse_duration(self.max_time)
        parse_interval(self.checkpoint_every)

    def _check_objective(self):
        contrastive = any(phase.objective == "contrastive" for phase in self.phases or ())
        if self.data.multi_label and (contrastive or (self.phases is None and self.recipe == "few_shot")):
            raise InputError(
                "few_shot compares examples of one label each, but data.multi_label is true: take "
                "linear_probe_then_fine_tune."
            )

    def _check_adaptation(self, task):
        method = self.adaptation.method
        if self.adaptation.target is None:
            return
        if self.adaptation.masked_epochs is not None and not task.supports_masked_pretraining:
            raise InputError("adaptation.masked_epochs hides words of texts: leave it out for this task.")
        if not task.supports_adaptation:
            raise InputError(f"adaptation is for classification: leave it out for {task.name}.")
        if self.data.multi_label:
            raise InputError("adaptation needs one label per example, but data.multi_label is true: leave one out.")
        if method in STATISTICS_ONLY and not task.has_batch_norm:
            raise InputError(
                f"adaptation.method {method} changes batch normalization, which text encoders do not have: take mcc, "
                "deep_coral, mmd, dann or self_training."
            )
        if self.data.batch_size < MIN_IN_BATCH.get(method, 1):
            raise InputError(
                f"adaptation.method {method} needs statistics of a batch: got data.batch_size {self.data.batch_size}, "
                f"expected at least {MIN_IN_BATCH[method]}."
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
