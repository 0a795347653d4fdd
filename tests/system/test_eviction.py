import os

import pytest

from tl_keras.system.eviction import remove_least_recently_used, total_size


@pytest.fixture
def files(tmp_path):
    """Four files of 10 bytes, used in the order c, a, b, d."""
    for age, name in enumerate("cabd"):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 + age, 1000 + age))
    return [tmp_path / name for name in "abcd"]


def names(files):
    return [file.name for file in files if file.exists()]


def test_the_least_recently_used_files_go_first(files):
    remove_least_recently_used(files, lambda: total_size(files) <= 20)
    assert names(files) == ["b", "d"]


def test_nothing_goes_while_there_is_room(files):
    remove_least_recently_used(files, lambda: True)
    assert names(files) == ["a", "b", "c", "d"]


def test_files_in_use_stay(files):
    remove_least_recently_used(files, lambda: False, is_in_use=lambda path: path.name in "cb")
    assert names(files) == ["b", "c"]


def test_files_that_another_process_removes_are_passed_over(files, tmp_path):
    def has_room():
        (tmp_path / "a").unlink(missing_ok=True)
        return total_size(files) <= 10

    remove_least_recently_used([*files, tmp_path / "gone"], has_room)
    assert names(files) == ["d"]
