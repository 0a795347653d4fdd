"""Settings of one training, from data to report."""

from dataclasses import field
from typing import Literal

from tl_keras.config.absolute_paths import expand_home
from tl_keras.config.adaptation_config import DEFAULT_WEIGHTS, MIN_IN_BATCH, STATISTICS_ONLY, AdaptationConfig
from tl_keras.config.cache_config import CacheConfig
from tl_keras.config.data_config import DataConfig
from tl_keras.config.detection_config import DetectionConfig
from tl_keras.config.model_config import ModelConfig
from tl_keras.config.optimizer_config import OptimizerConfig
from tl_keras.config.ranges import check_above_zero, check_minimum, check_unused
from tl_keras.config.recipe_choice import complete_recipe
from tl_keras.config.task_rules import check_task, complete_parts, find_task
from tl_keras.config.text_config import TextConfig
from tl_keras.errors import InputError
from tl_keras.phases import Phase, check_phases
from tl_keras.recipes import AUTO, Recipe
from tl_keras.system.documented_fields import documented_dataclass
from tl_keras.system.durations import parse_duration, parse_interval

MAX_SEED = 2**32 - 1


@documented_dataclass
class RunConfig:
    """One training run, from data to report."""

    task: str = "image_classification"
    """Kind of problem: image_classification, text_classification or object_detection."""
    data: DataConfig = field(default_factory=DataConfig)
    """Data that the model is trained on."""
    text: TextConfig = field(default_factory=TextConfig)
    """Texts and tokens; text classification only."""
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    """Detector; object detection only."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """Network: backbone, initial weights and head."""
    cache: CacheConfig = field(default_factory=CacheConfig)
    """Cache for the activations of frozen blocks."""
    adaptation: AdaptationConfig = field(default_factory=AdaptationConfig)
    """Unsupervised adaptation to a target domain; classification only."""
    recipe: Recipe | None = None
    """Transfer learning technique. auto decides by cross-validation on your data; the others choose their phases by the
    amount of data; few_shot compares few examples of one label each, and solves the head. By default auto for
    classification, and progressive_unfreezing for object detection or beside settings that auto would decide, such as
    epochs."""
    refit: bool | None = None
    """Whether auto also trains on the validation examples, once they have selected the model. By default only if there
    are few labels, at most 2,000. recipe auto only."""
    unfreeze_from: str | None = None
    """First block that the recipe unfreezes, such as block5, or all. By default it depends on the amount of data."""
    epochs: int | None = None
    """Epochs of the whole run, at least 1, divided among the phases of the recipe. By default they depend on the amount
    of data."""
    learning_rate: float | None = None
    """Peak learning rate of the first phase of the recipe, above 0; those of later phases change in proportion. By
    default that of the recipe."""
    block_decay: float | None = None
    """Factor by which the learning rate falls from each block to the one before it, above 0 and up to 1. By default
    0.7."""
    patience: int | None = None
    """Epochs without a lower val_loss after which a phase of the recipe ends, at least 1. By default phases run for all
    their epochs."""
    restore_best: bool | None = None
    """Whether each phase of the recipe ends with the weights of its best epoch, by val_loss, instead of the last ones.
    By default true for classification with validation examples, and false for object detection and with batch_norm
    train, whose averages lag behind the weights."""
    phases: list[Phase] | None = None
    """Phases in place of a recipe, such as [{train: block5, epochs: 3, learning_rate: 1e-4}]."""
    max_time: str | None = None
    """Maximum time for loading and training, such as 10m or 1h30m, divided among the phases, each of which takes an
    epoch at least. recipe auto always solves the head, tries fewer image sizes if time is short, and tunes in what is
    left. By default unlimited."""
    checkpoint_every: str = "5m"
    """Time or steps between checkpoints within an epoch, such as 30s or 200 steps; has no effect on the weights."""
    batch_norm: Literal["inference", "recalibrate", "train"] = "inference"
    """Statistics of batch normalization: inference keeps the pretrained ones, recalibrate estimates them once on the
    new data, train updates them in every step, and on one device estimates them at the end for the final weights."""
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    """Settings of the optimizer, AdamW."""
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """Data type of the computation; the head always computes in float32. auto uses bfloat16 if the processor supports
    it."""
    xla: bool = False
    """Whether to compile with XLA: often faster on GPUs and TPUs, slower for convolutions on CPUs."""
    distribute: Literal["auto", "cpu", "gpu", "mirrored", "multi_worker", "tpu"] = "auto"
    """Devices to train on: cpu or gpu is one device, mirrored all devices of this machine, multi_worker the machines in
    TF_CONFIG, tpu a TPU; auto chooses by TF_CONFIG, TPU_NAME and the number of GPUs, of which recipe auto takes one for
    few labels. Each device takes data.batch_size examples per step."""
    scale_learning_rate: bool = True
    """Whether to multiply the learning rates of a recipe by the square root of the number of devices, with a warm-up,
    because their batches form one step. Rates in phases, and learning_rate, are never changed."""
    steps_per_execution: int | None = None
    """Steps that devices compute before the host reads the loss, at least 1; has no effect on the weights. More than 1
    is faster where a step is short, on a GPU for example. By default 32 on a TPU, else 1."""
    seed: int = 0
    """Seed of the split, the order of the data, the augmentation and the random weights, 0 to 4294967295."""
    deterministic: bool = False
    """Whether the same command gives the same bits on the same machine, versions and number of cores; slower on GPUs,
    where some operations are refused."""
    log: str | list[str] | None = None
    """Experiment trackers that the run reports to: tensorboard, mlflow, wandb, or several, such as tensorboard,wandb;
    has no effect on the weights."""
    run: str | None = None
    """Run folder. By default a new folder runs/NAME-TIME. An interrupted run in the folder is resumed, a finished one
    is shown."""
    resume: Literal["auto", "must", "never"] = "auto"
    """Behavior if the folder contains a run: "auto" resumes it, or else starts a new one; "must" requires
    one; "never" refuses one."""

    def __post_init__(self):
        """Completes the defaults of the task and refuses settings that have no effect or are out of range."""
        for name, value in expand_home(self).items():
            object.__setattr__(self, name, value)
        task = find_task(self.task)
        object.__setattr__(self, "recipe", complete_recipe(self, task))
        for part, completed in complete_parts(self, task).items():
            # The class is frozen only once it is complete.
            object.__setattr__(self, part, completed)
        check_task(self, task)
        self._check_recipe()
        self._check_objective()
        self._check_cache()
        self._check_adaptation(task)
        if self.resume == "must" and self.run is None:
            raise InputError("resume must needs the folder of the run to resume: give --run FOLDER.")
        check_minimum(self, "", epochs=1, patience=1, steps_per_execution=1, seed=0)
        if self.seed > MAX_SEED:
            raise InputError(f"seed must be at most {MAX_SEED}: got {self.seed}.")
        check_above_zero(self, "", "learning_rate")
        if self.block_decay is not None and not 0 < self.block_decay <= 1:
            raise InputError(f"block_decay must lie above 0 and up to 1: got {self.block_decay}.")
        if self.max_time is not None:
            parse_duration(self.max_time)
        parse_interval(self.checkpoint_every)

    @property
    def trackers(self):
        """Names of the experiment trackers, a list."""
        names = self.log.split(",") if isinstance(self.log, str) else self.log or []
        return list(dict.fromkeys(name.strip() for name in names))

    def _check_recipe(self):
        if self.phases is not None:
            check_phases(self.phases)
            advice = "set it in the phases, or leave them out"
            of_recipes = ("unfreeze_from", "epochs", "learning_rate", "block_decay", "patience", "restore_best")
            check_unused(self, "", of_recipes, "beside phases", advice, rivals=["phases"])
        elif self.recipe == "feature_extraction":
            where = "with recipe feature_extraction, which never trains the blocks before the head"
            advice = "take another recipe, or leave it out"
            check_unused(self, "", ("unfreeze_from", "block_decay"), where, advice)
            check_unused(self.model, "model.", ("lora_rank",), where, advice)
        elif self.recipe == "few_shot":
            where, advice = "with recipe few_shot, which compares examples and solves the head", "leave it out"
            check_unused(self, "", ("patience", "restore_best"), where, advice)
            check_unused(self.model, "model.", ("hidden_units", "label_smoothing"), where, advice)
            if self.adaptation.target is not None:
                raise InputError(
                    "adaptation continues the phases of a recipe, but few_shot solves the head: take "
                    "linear_probe_then_fine_tune."
                )
        if self.recipe != AUTO:
            check_unused(self, "", ("refit",), f"with recipe {self.recipe}", "leave it out, or take --recipe auto")

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
                f"adaptation.method {method} changes batch normalization, which text encoders do not have: take one of "
                f"{', '.join(DEFAULT_WEIGHTS)}."
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
                f"cache.views={self.cache.views} keeps augmented versions, but data.augmentation none "
                "makes no versions: leave cache.views out, or choose an augmentation."
            )
        if self.cache.mode == "on" and augmented and self.cache.views is None:
            raise InputError(
                f"cache.mode on cannot keep images that are augmented anew ({self.data.augmentation}): "
                "give cache.views, the number of versions to keep, or data.augmentation none."
            )
