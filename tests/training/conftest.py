import pytest

from tl_keras.transfer.activations.cuts import prefix_model
from tl_keras.transfer.activations.frozen_part import FrozenPart
from tl_keras.transfer.multiply_adds import count_multiply_adds

SECONDS = 1e-9
"""Time of a multiply-add, near that of a laptop's core."""


@pytest.fixture(autouse=True)
def same_speed(monkeypatch):
    """Makes what is cached independent of the machine's speed at the moment."""

    def measure_seconds(part, inputs):
        return {key: SECONDS * count_multiply_adds(prefix_model(part._model, cut)) for key, cut in part._cuts.items()}

    monkeypatch.setattr(FrozenPart, "measure_seconds", measure_seconds)
