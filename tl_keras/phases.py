"""Phases: which blocks of a model learn, for how long and how fast. Pure values, without TensorFlow."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from tl_keras.errors import InputError, unknown_name

Schedule = Literal["cosine", "constant"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which one set of blocks learns."""

    train: str | list[str]
    """Blocks that learn: a block ("block5": it and every later one), "head", "all", or a list of just those blocks."""
    epochs: int = 1
    """Passes over the training data, at least 1."""
    learning_rate: float = 1e-3
    """Peak learning rate of the latest block that learns."""
    block_decay: float = 1.0
    """Each block learns at this share of the rate of the block after it, in (0, 1]; 1 gives all blocks one rate."""
    schedule: Schedule = "cosine"
    """How the rate runs through the phase: down to zero along a cosine, or constant."""
    warmup: float = 0.1
    """Share of the phase, in [0, 1), in which the rate rises linearly from zero to its peak."""

    def __post_init__(self):
        """Refuses values that no training could use."""
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

    @property
    def name(self):
        """What logs and pictures call the phase."""
        return self.train if isinstance(self.train, str) else " + ".join(self.train)

    def learning_rate_at(self, position):
        """Gives the peak rate scaled by warm-up and schedule.

        Args:
            position: how far the phase has come, from 0 (its beginning) to 1 (its end).

        Returns:
            The learning rate of the latest learning block, a float.
        """
        if position < self.warmup:
            return self.learning_rate * position / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        position = min(1.0, (position - self.warmup) / (1 - self.warmup))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * position))


def check_phases(phases):
    """Refuses an empty list of phases with an `InputError`."""
    if not phases:
        raise InputError("Nothing would be trained: got an empty list of phases, expected at least one.")


def total_epochs(phases):
    """Counts the epochs of all phases together."""
    return sum(phase.epochs for phase in phases)


def phase_at(phases, epoch):
    """Finds the phase that an epoch belongs to.

    Being a pure function of the epoch, it needs no state: a resumed run finds the same phase.

    Args:
        phases: list of `Phase`.
        epoch: epoch of the whole run, counted from 0, below `total_epochs(phases)`.

    Returns:
        Tuple `(index, first_epoch)` of the phase in the list and the run's epoch at which it begins.

    Raises:
        InputError: the phases end before the epoch.
    """
    first_epoch = 0
    for index, phase in enumerate(phases):
        if epoch < first_epoch + phase.epochs:
            return index, first_epoch
        first_epoch += phase.epochs
    raise InputError(f"The phases end before epoch {epoch}: they have {first_epoch} epochs together.")
