import os

import pytest

from tl_keras.system import atomic_files
from tl_keras.system.atomic_files import (
    UNFINISHED,
    atomic_path,
    new_file,
    new_folder,
    remove_unfinished,
    write_text,
)

needs_locks = pytest.mark.skipif(atomic_files.fcntl is None, reason="there are no locks of files that may be moved")
NAME = f"{UNFINISHED}{'0' * 24}"


@pytest.fixture(autouse=True)
def first_call():
    """Forgets the folders of other tests, as a new process would."""
    atomic_files._remove_dead.cache_clear()


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), atomic_path(path) as temporary:
        temporary.write_text("ne")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_the_file_appears_complete_and_without_temporary_files(tmp_path):
    path = tmp_path / "model.keras"
    with atomic_path(path) as temporary:
        assert temporary.suffix == path.suffix
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "model.keras"
    with atomic_path(path) as first:
        with atomic_path(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
        first.write_text("first")
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_a_link_is_replaced_and_not_followed(tmp_path, monkeypatch):
    (tmp_path / "precious").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    write_text(tmp_path / "link", "new\n")
    assert (tmp_path / "precious").read_text() == "old"
    assert (tmp_path / "link").read_bytes() == b"new\n" and not (tmp_path / "link").is_symlink()
    monkeypatch.setattr("secrets.token_hex", lambda number: "guessed")
    (tmp_path / ".new-guessed").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "link", "newer")
    assert (tmp_path / "precious").read_text() == "old"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_text(tmp_path / "new", "")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_only_files_of_killed_processes_are_removed(tmp_path):
    (tmp_path / ".new-folder" / "deeper").mkdir(parents=True)
    (tmp_path / ".new-model.keras").touch()
    (tmp_path / "new-data").touch()
    (tmp_path / ".new-link").symlink_to(tmp_path / "new-data")
    remove_unfinished(tmp_path)
    assert os.listdir(tmp_path) == ["new-data"]


@needs_locks
@pytest.mark.parametrize("make", [lambda path: new_file(path, ".json"), new_folder])
def test_what_killed_processes_left_is_removed_by_the_next(tmp_path, make):
    (tmp_path / NAME / "deeper").mkdir(parents=True)
    (tmp_path / f"{NAME}.json").touch()
    with make(tmp_path) as path:
        assert list(tmp_path.iterdir()) == [path]
    assert list(tmp_path.iterdir()) == []


@needs_locks
def test_what_living_processes_write_stays(tmp_path):
    with new_folder(tmp_path) as folder, new_file(tmp_path, ".json") as file:
        (folder / "part").touch()
        atomic_files._remove_dead.cache_clear()
        write_text(tmp_path / "result", "whole")
        assert (folder / "part").exists() and file.exists()
    assert os.listdir(tmp_path) == ["result"]


@needs_locks
def test_a_process_that_writes_through_another_handle_keeps_its_lock(tmp_path):
    with new_file(tmp_path, ".json") as file:
        file.write_text("half")
        atomic_files._remove_dead.cache_clear()
        write_text(tmp_path / "result", "whole")
        assert file.read_text() == "half"


@needs_locks
def test_other_names_and_links_stay(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    os.mkfifo(tmp_path / f"{NAME}.pipe")
    others = [f"{UNFINISHED}notes.txt", f"{UNFINISHED}{'0' * 16}", f"x{NAME}"]
    for name in others:
        (tmp_path / name).touch()
    write_text(tmp_path / "result", "whole")
    expected = {NAME, f"{NAME}.pipe", "elsewhere", "result", *others}
    assert set(os.listdir(tmp_path)) == expected and (tmp_path / "elsewhere" / "precious").exists()


@needs_locks
def test_a_file_that_was_taken_for_dead_before_it_was_locked_has_a_new_name(tmp_path, monkeypatch):
    lock, names = atomic_files._lock, []

    def lock_late(descriptor):
        names.extend(path.name for path in tmp_path.iterdir())
        if len(names) == 1:
            (tmp_path / names[0]).unlink()
        return lock(descriptor)

    monkeypatch.setattr(atomic_files, "_lock", lock_late)
    with new_file(tmp_path, "") as path:
        assert path.exists() and len(names) == 2 and path.name == names[1] != names[0]


@needs_locks
def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no locks here")

    monkeypatch.setattr(atomic_files.fcntl, "flock", refuse)
    (tmp_path / NAME).touch()
    write_text(tmp_path / "result", "whole")
    assert set(os.listdir(tmp_path)) == {NAME, "result"}
    monkeypatch.setattr(atomic_files, "fcntl", None)
    write_text(tmp_path / "result", "newer")
    assert (tmp_path / "result").read_text() == "newer"
