"""Settings of the optimizer."""

import math

from tl_keras.config.ranges import check_above_zero, check_minimum
from tl_keras.errors import InputError
from tl_keras.system.documented_fields import documented_dataclass


@documented_dataclass
class OptimizerConfig:
    """Settings of the optimizer, AdamW."""

    weight_decay: float = 0.01
    """Weight decay of the kernels, 0 or more, relative to their learning rate."""
    clip_norm: float | None = None
    """Maximum norm of the gradient of all weights together, above 0. By default gradients are not clipped."""
    accumulation_steps: int = 1
    """Number of batches whose gradients are averaged for one step, at least 1, for an effective batch that does not fit
    into memory."""
    ema_momentum: float | None = None
    """Momentum of a moving average of the weights, between 0 and 1, for example 0.99; each phase ends with the averaged
    weights. By default they are not averaged."""

    def __post_init__(self):
        """Checks that numbers are in range."""
        check_minimum(self, "optimizer.", accumulation_steps=1)
        if not 0 <= self.weight_decay < math.inf:
            raise InputError(f"optimizer.weight_decay must be 0 or more: got {self.weight_decay}.")
        check_above_zero(self, "optimizer.", "clip_norm")
        if self.ema_momentum is not None and not 0 < self.ema_momentum < 1:
            raise InputError(f"optimizer.ema_momentum must lie between 0 and 1: got {self.ema_momentum}.")
