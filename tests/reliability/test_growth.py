"""Tests that memory and open files do not grow over many phases."""

import psutil
import pytest

from tl_keras import train
from tl_keras.callbacks import ProgressLines
from tl_keras.config.parsing import parse

PHASES = 24
SETTLED = 4
"""Number of phases after which all code has run once."""


@pytest.mark.slow
@pytest.mark.usefixtures("small_network")
def test_memory_and_open_files_do_not_grow_over_many_phases(image_folder, tmp_path, monkeypatch):
    process, usage, end = psutil.Process(), [], ProgressLines.on_epoch_end

    def record(self, epoch, logs=None):
        usage.append((process.memory_info().rss, process.num_fds()))
        end(self, epoch, logs)

    monkeypatch.setattr(ProgressLines, "on_epoch_end", record)
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
    assert len(usage) == PHASES
    assert usage[-1][0] <= 1.05 * usage[SETTLED][0]
    assert usage[-1][1] <= usage[SETTLED][1]
