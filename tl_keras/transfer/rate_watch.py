"""The learning rate that other callbacks set beside the phases: a reduction is kept, anything else is refused."""

import math

from tl_keras.errors import InputError
from tl_keras.transfer.learning_rates import current_rate

WATCHED_STEPS = 2
"""Steps of an epoch before which the rate is read, since reading it waits for the device."""


class RateWatch:
    """Compares the learning rate of an optimizer with the one that the phases have set last.

    Args:
        optimizer: Keras optimizer before the first step of `fit`.

    Attributes:
        rate: float, the rate that was set last.
    """

    def __init__(self, optimizer):
        self.rate = current_rate(optimizer)
        self._epochs = self._steps = 0

    def reduction(self, optimizer, batch):
        """Returns the factor by which another callback has reduced the rate since the last step, 1.0 if it has not.

        Args:
            optimizer: Keras optimizer before the next step.
            batch: number of the batch in its epoch, from 0.

        Raises:
            InputError: the rate was set to a higher value, or elsewhere than between two epochs of this `fit`.
        """
        self._epochs, self._steps = (self._epochs + 1, 1) if batch == 0 else (self._epochs, self._steps + 1)
        if self._steps > WATCHED_STEPS:
            return 1.0
        rate = current_rate(optimizer)
        if math.isclose(rate, self.rate, rel_tol=1e-5):
            return 1.0
        if batch == 0 and self._epochs > 1 and rate < self.rate:
            print(
                f"learning rates: × {rate / self.rate:.3g} from here on, as another callback reduced them", flush=True
            )
            return rate / self.rate
        raise InputError(
            "Another callback, such as LearningRateScheduler, sets the learning rate, but the phases set it in every "
            f"step: it was {self.rate:g} and is {rate:g}. Leave that callback out, and give the phases a learning_rate "
            "and a schedule; ReduceLROnPlateau may stay."
        )
