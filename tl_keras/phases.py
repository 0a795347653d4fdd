"""Phases of training: the trainable blocks, epochs and learning rates. Pure values, without TensorFlow."""

import math
import re
from typing import Literal

from tl_keras.errors import InputError, counted
from tl_keras.system.documented_fields import documented_dataclass

Schedule = Literal["cosine", "one_cycle", "constant"]
Objective = Literal["labels", "contrastive"]
MAX_EPOCHS = 30
MAX_NAMED_BLOCKS = 3
ONE_CYCLE_START = 1 / 25
FALLING = re.compile(
    "loss(es)?|errors?|mae|r?mse|mape|msle|perplexity|(cross)?entropy|divergence|hinge|poisson|cosh|deviance|brier"
)
"""Words in the names of metrics that are better when lower."""
RISING = re.compile("acc(uracy)?|auc|precision|recall|f|fbeta|score|iou|dice|r|similarity|specificity|sensitivity|map")
"""Words in the names of metrics that are better when higher."""


@documented_dataclass
class Plateau:
    """Criterion that ends a phase: a metric that has stopped improving."""

    monitor: str = "val_loss"
    """Metric to watch."""
    patience: int = 3
    """Number of epochs without improvement after which the phase ends, at least 1."""
    min_delta: float = 0.0
    """Minimum difference to the best value that counts as an improvement, 0 or more."""
    mode: Literal["min", "max"] | None = None
    """Whether the metric is better when lower, min, or when higher, max. By default known from the metric's class, or
    else from its name: losses, mae, perplexity and the like are better when lower, accuracy, f1 and the like when
    higher."""

    def __post_init__(self):
        """Checks that numbers are in range."""
        if self.patience < 1:
            raise InputError(f"A plateau needs a patience of at least 1 epoch: got patience={self.patience}.")
        if not 0 <= self.min_delta < math.inf:
            raise InputError(f"A plateau needs a min_delta of 0 or more: got min_delta={self.min_delta}.")


@documented_dataclass
class Phase:
    """Part of a training in which a fixed set of blocks is trained."""

    train: str | list[str]
    """Blocks to train: one block and all later ones, "head", "all", a list of exactly these blocks, or "regex:PATTERN"
    for weights by name."""
    epochs: int | None = None
    """Epochs of the phase, at least 1; with `until` the maximum. By default 1, or 30 with `until`."""
    learning_rate: float = 1e-3
    """Peak learning rate of the last trainable block, above 0."""
    block_decay: float = 1.0
    """Factor by which the learning rate falls from each block to the one before it, above 0 and up to 1; 1 gives all
    blocks the same rate."""
    schedule: Schedule | None = None
    """Learning rate schedule: cosine (decays to zero), one_cycle (rises and falls along cosines) or constant. By
    default cosine, or constant with `until`."""
    warmup: float | None = None
    """Fraction of the phase in which the learning rate rises to its peak, from 0 to below 1. By default 0.1, or 0.3
    with one_cycle."""
    until: Plateau | None = None
    """Plateau of a metric that ends the phase before its last epoch. By default the phase runs for all its epochs."""
    restore_best: bool | None = None
    """Whether the phase ends with the weights of its best epoch, by the metric of `until` or val_loss, instead of the
    last ones. By default true in a run that classifies, as far as it has validation examples and labels to predict;
    false in a plain `fit`, for detectors, whose loss does not rank epochs, and with batch_norm train."""
    objective: Objective = "labels"
    """Training objective. labels: predict the labels. contrastive: move the features before the head together for equal
    labels and apart for different ones; `train` must then be a list of blocks without the head, and the only metrics
    are loss and val_loss."""

    def __post_init__(self):
        """Sets the defaults that depend on other fields and checks all values."""
        self._fill("epochs", MAX_EPOCHS if self.until else 1)
        self._fill("schedule", "constant" if self.until else "cosine")
        self._fill("warmup", 0.3 if self.schedule == "one_cycle" else 0.1)
        if not self.train:
            raise InputError(
                "A phase trains no block: got an empty `train`, expected a block, 'head', 'all' or a list of blocks."
            )
        self._require("epochs", self.epochs >= 1, "at least 1 epoch")
        self._require("learning_rate", 0 < self.learning_rate < math.inf, "a learning rate above 0")
        self._require("block_decay", 0 < self.block_decay <= 1, "a block_decay above 0 and up to 1")
        self._require("warmup", 0 <= self.warmup < 1, "a warmup share from 0 to below 1")
        self._check_objective()

    @property
    def name(self):
        """Name of the phase in logs and plots: its blocks, shortened if there are many."""
        if isinstance(self.train, str):
            return self.train
        if len(self.train) > MAX_NAMED_BLOCKS:
            return f"{self.train[0]} … {self.train[-1]} ({len(self.train)})"
        return " + ".join(self.train)

    @property
    def monitor(self):
        """Metric that epochs are compared by."""
        return self.until.monitor if self.until else "val_loss"

    def learning_rate_at(self, position):
        """Computes the learning rate from the peak, the warm-up and the schedule.

        "one_cycle" is the policy of Smith and Topin 2018 (https://arxiv.org/abs/1708.07120) with cosines, without the
        momentum cycle.

        Args:
            position: progress of the phase, from 0 (start) to 1 (end).

        Returns:
            Learning rate of the last trainable block, a float.
        """
        if position < self.warmup:
            rise = position / self.warmup
            if self.schedule == "one_cycle":
                rise = ONE_CYCLE_START + (1 - ONE_CYCLE_START) * _cosine_decay(1 - rise)
            return self.learning_rate * rise
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * _cosine_decay(min(1.0, (position - self.warmup) / (1 - self.warmup)))

    def _check_objective(self):
        if self.objective == "labels":
            return
        if isinstance(self.train, str) or {"head", "all"} & set(self.train):
            raise InputError(
                f"A contrastive phase trains blocks before the head: got train={self.train!r}, expected a list of "
                "blocks without the head, such as [block4, block5]."
            )
        if not self.monitor.endswith("loss"):
            raise InputError(
                f"A contrastive phase has only the metrics loss and val_loss: got monitor={self.monitor!r}."
            )

    def _require(self, field, valid, expected):
        if not valid:
            raise InputError(f"Phase {self.name!r} needs {expected}: got {field}={getattr(self, field)}.")

    def _fill(self, name, value):
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def check_phases(phases):
    """Refuses an empty list of phases with an `InputError`."""
    if not phases:
        raise InputError("Nothing would be trained: got an empty list of phases, expected at least one.")


def total_epochs(phases):
    """Computes the maximum number of epochs of all phases together."""
    return sum(phase.epochs for phase in phases)


def phase_at(phases, epoch, ends=()):
    """Finds the phase that an epoch belongs to.

    A resumed run finds the same phase, because the result depends on the arguments only.

    Args:
        phases: list of `Phase`.
        epoch: epoch of the whole run, counted from 0.
        ends: for each phase that has ended, the first epoch after it; later phases count with all their epochs.

    Returns:
        Tuple `(index, first_epoch)`: the position of the phase in the list, and its first epoch in the run.

    Raises:
        InputError: the phases end before the epoch.
    """
    first_epoch = 0
    for index, phase in enumerate(phases):
        end = ends[index] if index < len(ends) else first_epoch + phase.epochs
        if epoch < end:
            return index, first_epoch
        first_epoch = end
    raise InputError(f"The phases end before epoch {epoch}: they have {counted(first_epoch, 'epoch')} together.")


def direction_of(metric):
    """Returns the direction in which a metric is better, "min" or "max"; None if its name does not tell."""
    words = re.split(r"[_\W\d]+", metric.removeprefix("val_"))
    if any(map(FALLING.fullmatch, words)):
        return "min"
    return "max" if any(map(RISING.fullmatch, words)) else None


def is_better(mode, value, best, min_delta=0.0):
    """Returns whether a metric has improved.

    Args:
        mode: "min" if lower values are better, "max" if higher ones are.
        value: new value; NaN is never better.
        best: best value so far, or None.
        min_delta: minimum improvement, 0 or more.

    Returns:
        A bool.
    """
    if best is None:
        return not math.isnan(value)
    gain = best - value if mode == "min" else value - best
    return gain > min_delta


def phase_seconds(phases, index, seconds_left):
    """Computes the time of a phase as a share of the remaining time, in proportion to epochs.

    Args:
        phases: list of `Phase`.
        index: position of the phase that starts now.
        seconds_left: time for this phase and all later ones.

    Returns:
        Seconds.
    """
    return seconds_left * phases[index].epochs / total_epochs(phases[index:])


def _cosine_decay(position):
    """Computes a factor that decays along half a cosine, from 1 at position 0 to 0 at position 1."""
    return 0.5 * (1 + math.cos(math.pi * position))
