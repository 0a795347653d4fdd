"""What a run is told about its optimizer."""

import math
from dataclasses import dataclass

from tl_keras.config.ranges import check_above_zero, check_least
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import document_fields


@document_fields
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
        check_least(self, "optimizer", {"accumulation_steps": 1})
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"optimizer.weight_decay must be 0 or more: got {self.weight_decay}.")
        check_above_zero(self, "optimizer", "clip_norm")
        if self.ema_momentum is not None and not 0 < self.ema_momentum < 1:
            raise InputError(f"optimizer.ema_momentum must lie between 0 and 1: got {self.ema_momentum}.")
