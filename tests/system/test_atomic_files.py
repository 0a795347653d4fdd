import os

import pytest

from tl_keras.system.atomic_files import atomic_path, remove_unfinished, write_text


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
