"""Tests that verbs which are killed or find a full disk lose nothing, and that the same command ends them."""

import errno
import importlib
import os
import shutil
import signal

import pytest

from tests.reliability import killing
from tests.reliability.tiny_command import kill_before_rename
from tl_keras.cli.verbs import run_verb
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.system import user_cache
from tl_keras.system.atomic_files import UNFINISHED


def run_killed(verb, arguments, number):
    """Runs a verb that kills itself before its `number`-th file takes its place."""
    kill_before_rename(number)
    importlib.import_module(f"tl_keras.{verb}").main(arguments)


def fill_killed(root, name):
    """Fills a folder of the cache halfway, and kills itself."""
    os.environ["XDG_CACHE_HOME"] = root

    def fill(folder):
        folder.mkdir()
        (folder / "half").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

    user_cache.cached_folder(name, fill)


@pytest.fixture(scope="module")
def kill():
    """Function that runs another one in a process that kills itself."""
    context = killing.forking_context()

    def run(function, *arguments):
        process = context.Process(target=function, args=arguments)
        process.start()
        process.join(killing.PATIENCE)
        assert process.exitcode == -signal.SIGKILL

    return run


def commands(folder, run, images):
    """Returns from each verb its command line, and the folder of its results."""
    photos = str(images / "red")
    return {
        "evaluate": ([str(run)], run / "evaluations" / "test"),
        "predict": ([str(run), photos, "--output", str(folder / "p.csv")], folder),
        "explain": ([str(run), photos, "--output", str(folder / "maps")], folder / "maps"),
    }


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(UNFINISHED)}


@pytest.fixture
def place(finished_run, image_folder, tmp_path):
    """Returns a folder for results, a copy of a run, and the images it was trained on."""
    run = shutil.copytree(finished_run[0], tmp_path / "run", ignore=shutil.ignore_patterns("evaluations"))
    (tmp_path / "results").mkdir()
    return tmp_path / "results", run, image_folder


@pytest.mark.parametrize(("verb", "numbers"), [("evaluate", (1, 4)), ("predict", (1,)), ("explain", (2, 13))])
def test_a_killed_verb_is_ended_by_the_same_command(place, kill, verb, numbers):
    arguments, folder = commands(*place)[verb]
    for number in numbers:
        kill(run_killed, verb, arguments, number)
        RunFolder(place[1]).require_unchanged()
    finished = contents(folder)
    run_verb(importlib.import_module(f"tl_keras.{verb}").main, arguments)
    # What was complete is found again, and what was not is removed.
    assert finished.keys() < contents(folder).keys()
    assert not list(folder.glob(f"{UNFINISHED}*"))


@pytest.mark.parametrize(("verb", "number"), [("evaluate", 1), ("evaluate", 5), ("predict", 1), ("explain", 2)])
def test_a_full_disk_is_one_sentence_and_the_same_command_ends_the_verb(place, monkeypatch, capsys, verb, number):
    arguments, folder = commands(*place)[verb]
    main, synced = importlib.import_module(f"tl_keras.{verb}").main, []

    def sync(_):
        synced.append(1)
        if len(synced) == number:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(os, "fsync", sync)
        run_verb(main, arguments)
    assert stop.value.code == 1
    assert capsys.readouterr().err.endswith("free some space and try again.\n")
    assert not list(folder.glob(f"{UNFINISHED}*"))
    RunFolder(place[1]).require_unchanged()
    run_verb(main, arguments)
    assert contents(folder)


def test_a_folder_of_the_cache_that_is_killed_while_it_is_filled_is_filled_again(tmp_path, kill, monkeypatch):
    kill(fill_killed, str(tmp_path), "weights-1.0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (left,) = (tmp_path / "tl_keras").iterdir()
    assert left.name.startswith(UNFINISHED)

    def fill(folder):
        folder.mkdir()
        (folder / "whole").touch()

    folder = user_cache.cached_folder("weights-1.0", fill)
    assert [path.name for path in folder.iterdir()] == ["whole"]
    assert list((tmp_path / "tl_keras").iterdir()) == [folder]


def test_a_disk_that_fills_up_leaves_no_folder_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fill(folder):
        folder.mkdir()
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="cannot be written to .*No space left.* free some space"):
        user_cache.cached_folder("weights-1.0", fill)
    assert list((tmp_path / "tl_keras").iterdir()) == []
