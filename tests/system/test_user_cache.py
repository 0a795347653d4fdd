from pathlib import Path

import pytest

from tl_keras.errors import InputError
from tl_keras.system.user_cache import cached_folder, user_cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def fill(folder):
    folder.mkdir()
    (folder / "a.txt").write_text("a")


def test_place(tmp_path, monkeypatch):
    assert user_cache() == tmp_path / "tl_keras"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_cache() == Path.home() / ".cache" / "tl_keras"


def test_a_folder_is_filled_once():
    folder = cached_folder("things-1", fill)
    assert folder == user_cache() / "things-1" and (folder / "a.txt").read_text() == "a"
    assert cached_folder("things-1", None) == folder
    assert list(user_cache().iterdir()) == [folder]


def test_what_is_not_filled_whole_is_not_there():
    def break_off(folder):
        fill(folder)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cached_folder("things-1", break_off)
    assert not list(user_cache().iterdir())


def test_another_process_may_be_faster():
    def be_late(folder):
        fill(user_cache() / "things-1")
        fill(folder)

    assert (cached_folder("things-1", be_late) / "a.txt").is_file()


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="things-1 cannot be kept in .*XDG_CACHE_HOME"):
        cached_folder("things-1", fill)
