"""Runs that hold a model alone, for what reads its digest only."""

from types import SimpleNamespace


def make_bare_run(folder, model):
    """Makes a run whose model is a text."""
    folder.mkdir()
    (folder / "model.keras").write_text(model)
    return SimpleNamespace(folder=folder)
