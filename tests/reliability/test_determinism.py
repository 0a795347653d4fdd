"""Tests --deterministic with every phase, cache and random layer of the kill tests."""

import pytest

from tests.reliability import killing


@pytest.mark.slow
@pytest.mark.parametrize("task", killing.FLAGS)
def test_deterministic_runs_are_bit_identical(task, tmp_path):
    flags = {**killing.FLAGS[task](tmp_path), "deterministic": "true"}
    for name in ("one", "other"):
        killing.finish(flags, tmp_path / name)
    assert not killing.difference(killing.outcome(tmp_path / "one"), killing.outcome(tmp_path / "other"))
