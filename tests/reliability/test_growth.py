"""What a run of many phases holds on to: neither memory nor open files pile up."""

import psutil
import pytest

from tl_keras import train
from tl_keras.callbacks import ProgressLines
from tl_keras.config.parsing import parse

PHASES = 24
SETTLED = 4
"""Phases after which all code has run once."""


@pytest.mark.slow
@pytest.mark.usefixtures("small_network")
def test_twenty_phases_grow_by_less_than_a_twentieth_and_leak_no_file(image_folder, tmp_path, monkeypatch):
    process, found, end = psutil.Process(), [], ProgressLines.on_epoch_end

    def note(self, epoch, logs=None):
        found.append((process.memory_info().rss, process.num_fds()))
        end(self, epoch, logs)

    monkeypatch.setattr(ProgressLines, "on_epoch_end", note)
    flags = {
        "data.path": image_folder,
        "data.image_size": 32,
        "data.batch_size": 8,
        "data.augmentation": "none",
        "model.weights": "none",
        "checkpoint_every": "1 steps",
        "phases": f"[{', '.join('{train: [top, head]}' for _ in range(PHASES))}]",
        "run": tmp_path / "run",
    }
    train.run_training(parse([part for name, value in flags.items() for part in (f"--{name}", str(value))]))
    assert len(found) == PHASES
    assert found[-1][0] <= 1.05 * found[SETTLED][0]
    assert found[-1][1] <= found[SETTLED][1]
