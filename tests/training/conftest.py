import pytest

from tl_keras.training import results
from tl_keras.transfer.activations.cuts import prefix_model
from tl_keras.transfer.activations.frozen_part import FrozenPart
from tl_keras.transfer.multiply_adds import count_multiply_adds

SECONDS = 1e-9
"""Time of a multiply-add, near that of a laptop's core."""


@pytest.fixture(autouse=True)
def same_speed(monkeypatch):
    """Makes what is cached independent of the machine's speed at the moment."""

    def measure_seconds(part, inputs, clock=None):
        return {key: SECONDS * count_multiply_adds(prefix_model(part._model, cut)) for key, cut in part._cuts.items()}

    monkeypatch.setattr(FrozenPart, "measure_seconds", measure_seconds)


@pytest.fixture
def report():
    """Asks for the report of runs, which takes a quarter of a tiny run: without it, it is left out here."""


@pytest.fixture(autouse=True)
def report_if_asked(request, monkeypatch):
    """Writes no report unless the test uses `report`."""
    if "report" not in request.fixturenames:
        monkeypatch.setattr(results, "_write_report", lambda *_: None)
