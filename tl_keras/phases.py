"""Phases: which blocks of a model learn, for how long and how fast. Pure values, without TensorFlow."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from tl_keras.errors import InputError, unknown_name
from tl_keras.system.documented_fields import document_fields

Schedule = Literal["cosine", "one_cycle", "constant"]
Objective = Literal["labels", "contrastive"]
MAX_EPOCHS = 30
MAX_NAMED_BLOCKS = 3
ONE_CYCLE_START = 1 / 25


@document_fields
@dataclass(frozen=True)
class Plateau:
    """The end of a phase whose metric has stopped getting better."""

    monitor: str = "val_loss"
    """Metric to watch; one whose name ends in loss or error is better when lower, any other when higher."""
    patience: int = 3
    """Epochs without a better value after which the phase ends, at least 1."""
    min_delta: float = 0.0
    """By how much a value must be better than the best one to count, 0 or more."""

    def __post_init__(self):
        """Refuses a patience or a difference that no training could use."""
        if self.patience < 1 or self.patience % 1:
            raise InputError(f"A plateau needs a patience of at least 1 epoch: got patience={self.patience}.")
        if not 0 <= self.min_delta < math.inf:
            raise InputError(f"A plateau needs a min_delta of 0 or more: got min_delta={self.min_delta}.")


@document_fields
@dataclass(frozen=True)
class Phase:
    """A stretch of training in which one set of blocks learns."""

    train: str | list[str]
    """A block (it and every later one), "head", "all", a list of just those blocks, or "regex:PATTERN" of weights."""
    epochs: int | None = None
    """Passes over the training data; with `until` the most there may be. None: 1, or 30 with `until`."""
    learning_rate: float = 1e-3
    """Peak learning rate of the latest block that learns."""
    block_decay: float = 1.0
    """Each block learns at this share of the rate of the block after it, in (0, 1]; 1 gives all blocks one rate."""
    schedule: Schedule | None = None
    """cosine (down to zero), one_cycle (up and down along cosines) or constant. None: cosine; with `until` constant."""
    warmup: float | None = None
    """Share of the phase, in [0, 1), in which the rate rises to its peak. None: 0.1, in one_cycle 0.3."""
    until: Plateau | None = None
    """Ends the phase before its last epoch, when a metric has stopped getting better."""
    restore_best: bool = False
    """Whether the phase hands on the weights of its best epoch, by the metric of `until` or val_loss, not its last."""
    objective: Objective = "labels"
    """labels: the model predicts them. contrastive: features before the head come together where labels agree, and part
    where they differ; `train` is then a list of blocks without the head, and the only metrics are loss and val_loss."""

    def __post_init__(self):
        """Fills in what follows from the rest and refuses values that no training could use."""
        self._fill("epochs", MAX_EPOCHS if self.until else 1)
        self._fill("schedule", "constant" if self.until else "cosine")
        self._fill("warmup", 0.3 if self.schedule == "one_cycle" else 0.1)
        if not self.train:
            raise InputError(
                "A phase trains nothing: got an empty `train`, expected a block, 'head', 'all' or a list of blocks."
            )
        if self.epochs < 1 or self.epochs % 1:
            raise InputError(
                f"Phase {self.name!r} needs a whole number of epochs, at least 1: got epochs={self.epochs}."
            )
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InputError(
                f"Phase {self.name!r} needs a learning rate above 0: got learning_rate={self.learning_rate}."
            )
        if not 0 < self.block_decay <= 1:
            raise InputError(f"Phase {self.name!r} needs a block_decay above 0 and up to 1: got {self.block_decay}.")
        if self.schedule not in get_args(Schedule):
            raise unknown_name("schedule", self.schedule, get_args(Schedule))
        if not 0 <= self.warmup < 1:
            raise InputError(f"Phase {self.name!r} needs a warmup share from 0 to below 1: got {self.warmup}.")
        self._check_objective()

    @property
    def name(self):
        """What logs and pictures call the phase; of a long list of blocks the first and the last."""
        if isinstance(self.train, str):
            return self.train
        if len(self.train) > MAX_NAMED_BLOCKS:
            return f"{self.train[0]} … {self.train[-1]} ({len(self.train)})"
        return " + ".join(self.train)

    @property
    def monitor(self):
        """The metric that tells how good an epoch was."""
        return self.until.monitor if self.until else "val_loss"

    def learning_rate_at(self, position):
        """Gives the peak rate scaled by warm-up and schedule.

        "one_cycle" is the policy of Smith and Topin 2018 (https://arxiv.org/abs/1708.07120) along cosines, without its
        cycle of the momentum.

        Args:
            position: how far the phase has come, from 0 (its beginning) to 1 (its end).

        Returns:
            The learning rate of the latest learning block, a float.
        """
        if position < self.warmup:
            rise = position / self.warmup
            if self.schedule == "one_cycle":
                rise = ONE_CYCLE_START + (1 - ONE_CYCLE_START) * _fall(1 - rise)
            return self.learning_rate * rise
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * _fall(min(1.0, (position - self.warmup) / (1 - self.warmup)))

    def _check_objective(self):
        if self.objective not in get_args(Objective):
            raise unknown_name("objective", self.objective, get_args(Objective))
        if self.objective == "labels":
            return
        if isinstance(self.train, str) or {"head", "all"} & set(self.train):
            raise InputError(
                f"A contrastive phase trains what lies before the head: got train={self.train!r}, expected a list of "
                "blocks without the head, such as [block4, block5]."
            )
        if not self.monitor.endswith("loss"):
            raise InputError(
                f"A contrastive phase has no metric but loss and val_loss: got a plateau of {self.monitor!r}."
            )

    def _fill(self, name, value):
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def check_phases(phases):
    """Refuses an empty list of phases with an `InputError`."""
    if not phases:
        raise InputError("Nothing would be trained: got an empty list of phases, expected at least one.")


def total_epochs(phases):
    """Counts the epochs of all phases together, at most."""
    return sum(phase.epochs for phase in phases)


def phase_at(phases, epoch, ends=()):
    """Finds the phase that an epoch belongs to.

    Being a pure function, it needs no state but the ends on record: a resumed run finds the same phase.

    Args:
        phases: list of `Phase`.
        epoch: epoch of the whole run, counted from 0, before the end of the last phase.
        ends: for each phase that has ended, the first epoch after it; the phases to come last as long as they may.

    Returns:
        Tuple `(index, first_epoch)` of the phase in the list and the run's epoch at which it begins.

    Raises:
        InputError: the phases end before the epoch.
    """
    first_epoch = 0
    for index, phase in enumerate(phases):
        end = ends[index] if index < len(ends) else first_epoch + phase.epochs
        if epoch < end:
            return index, first_epoch
        first_epoch = end
    raise InputError(f"The phases end before epoch {epoch}: they have {first_epoch} epochs together.")


def is_better(monitor, value, best, min_delta=0.0):
    """Says whether a metric has become better.

    Args:
        monitor: its name; what ends in loss or error is better when lower, anything else when higher.
        value: the new value; NaN is never better.
        best: the best value so far, or None.
        min_delta: the least difference that counts, 0 or more.

    Returns:
        A bool.
    """
    if best is None:
        return not math.isnan(value)
    gain = best - value if monitor.endswith(("loss", "error")) else value - best
    return gain > min_delta


def phase_seconds(phases, index, seconds_left):
    """Gives a phase its part of the time left: in proportion to the epochs of the phases that share it.

    Args:
        phases: list of `Phase`.
        index: the phase that begins now.
        seconds_left: time for it and all later ones.

    Returns:
        Seconds.
    """
    return seconds_left * phases[index].epochs / total_epochs(phases[index:])


def _fall(position):
    """Half a cosine, from 1 at position 0 to 0 at position 1."""
    return 0.5 * (1 + math.cos(math.pi * position))
