import sys
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


def test_the_variable_chooses_the_folder(tmp_path):
    assert user_cache() == tmp_path / "tl_keras"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another folder")
@pytest.mark.parametrize("value", [None, ""])
def test_the_default_folder_of_linux(monkeypatch, value):
    monkeypatch.delenv("XDG_CACHE_HOME")
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert user_cache() == Path.home() / ".cache" / "tl_keras"


def test_a_relative_folder_is_used_as_it_is(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert user_cache() == Path("cache") / "tl_keras"


def test_a_folder_is_filled_once():
    folder = cached_folder("things-1", fill)
    assert folder == user_cache() / "things-1" and (folder / "a.txt").read_text() == "a"
    assert cached_folder("things-1", None) == folder
    assert list(user_cache().iterdir()) == [folder]


def test_a_folder_that_could_not_be_filled_is_removed():
    def fail(folder):
        fill(folder)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cached_folder("things-1", fail)
    assert not list(user_cache().iterdir())


def test_another_process_may_create_the_folder_first():
    def fill_too_late(folder):
        fill(user_cache() / "things-1")
        fill(folder)

    assert (cached_folder("things-1", fill_too_late) / "a.txt").is_file()


def test_a_cache_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="things-1 cannot be written to .*XDG_CACHE_HOME"):
        cached_folder("things-1", fill)
