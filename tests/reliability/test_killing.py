"""Tests that killed and interrupted runs give identical results. Few runs, because each start takes seconds."""

import random
import signal
import time

import pytest

from tests.reliability import killing
from tests.reliability.tiny_command import RESULT
from tl_keras.system.checksums import changed_files


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Returns the flags of a run that saves every second step, its outcome and the context."""
    folder, context = tmp_path_factory.mktemp("killed"), killing.forking_context()
    phases = {"phases": "[{train: head, epochs: 2}, {train: block7, epochs: 2, block_decay: 0.5}]"}
    flags = {**killing.image_flags(folder), **phases, "checkpoint_every": "2 steps"}
    killing.finish(flags, folder / "whole", context)
    return flags, killing.outcome(folder / "whole"), context


def wait_for(text, command, start=0):
    """Waits until a command prints a text behind the first `start` characters of its log, or has ended."""
    while text not in command.log.read_text()[start:] and command.wait(0.01) is None:
        time.sleep(0.01)


def test_kills_while_saving_and_in_an_epoch_lose_nothing(uninterrupted, tmp_path):
    flags, expected, context = uninterrupted
    for point in (("half_written", 2), ("after_rename", 2)):
        command = killing.Command(flags, tmp_path / "run", point, context)
        assert command.wait(killing.PATIENCE) == -signal.SIGKILL
    start = len(command.log.read_text())
    command = killing.Command(flags, tmp_path / "run", context=context)
    wait_for("epoch 3/4", command, start)
    command.send(signal.SIGKILL)
    assert command.wait(killing.PATIENCE) == -signal.SIGKILL
    killing.finish(flags, tmp_path / "run", context)
    assert killing.outcome(tmp_path / "run") == expected


def test_kills_while_results_are_written_lose_nothing(uninterrupted, tmp_path):
    flags, expected, context = uninterrupted
    # The first kill is after the files of the start, which a resumed run does not write again.
    for number in (6, 4, 8):
        command = killing.Command(flags, tmp_path / "run", (RESULT, number), context)
        assert command.wait(killing.PATIENCE) == -signal.SIGKILL
    killing.finish(flags, tmp_path / "run", context)
    assert killing.outcome(tmp_path / "run") == expected
    assert not changed_files(tmp_path / "run") and not list((tmp_path / "run").glob(".new-*"))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_signal_stops_the_command_after_a_checkpoint(uninterrupted, tmp_path, number, code):
    flags, expected, context = uninterrupted
    command = killing.Command({**flags, "checkpoint_every": "1h"}, tmp_path / "run", context=context)
    wait_for("epoch 2/4", command)
    command.send(number)
    assert command.wait(30) == code
    assert "interrupted: resume with `python -m tl_keras.train" in command.log.read_text()
    if code == 143:
        killing.finish({**flags, "resume": "must"}, tmp_path / "run", context)
        assert killing.outcome(tmp_path / "run") == expected


@pytest.mark.slow
@pytest.mark.parametrize("task", killing.FLAGS)
def test_25_kills_of_the_real_command_lose_nothing(task, tmp_path):
    flags = {**killing.FLAGS[task](tmp_path), "checkpoint_every": "2 steps"}
    seconds = killing.finish(flags, tmp_path / "whole")
    expected = killing.outcome(tmp_path / "whole")
    _, kills = killing.kill_often(flags, tmp_path, 25, seconds, expected, random.Random(0))
    assert sum(kills.values()) == 25
