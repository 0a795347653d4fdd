import os

import pytest

from tl_keras.system.newer_files import find_newer


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "cat").mkdir(parents=True)
    (tmp_path / "data" / "cat" / "old.png").touch()
    for path in (tmp_path / "data" / "cat" / "old.png", tmp_path / "data" / "cat", tmp_path / "data"):
        os.utime(path, (100, 100))
    return tmp_path / "data"


def test_nothing_is_newer(folder):
    assert find_newer(folder, 100) is None
    assert find_newer(folder / "missing", 100) is None


def test_a_new_file_is_found(folder):
    (folder / "cat" / "new.png").touch()
    assert find_newer(folder, 100) == str(folder / "cat" / "new.png")


def test_an_old_file_that_was_added_or_removed_changes_its_folder(folder):
    (folder / "cat" / "old.png").unlink()
    assert find_newer(folder, 100) == str(folder / "cat")


def test_a_changed_table_is_found(folder):
    table = folder / "cat" / "old.png"
    assert find_newer(table, 100) is None
    table.write_text("changed")
    assert find_newer(table, 100) == str(table)


def test_a_folder_is_left_out_and_a_broken_link_is_no_change(folder):
    (folder / "run").mkdir()
    (folder / "run" / "log").touch()
    (folder / "link").symlink_to(folder / "missing")
    os.utime(folder, (100, 100))
    assert find_newer(folder, 100) == str(folder / "run" / "log")
    assert find_newer(folder, 100, skip=folder / "run") is None
