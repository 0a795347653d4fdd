import functools
import os

import pytest

from tl_keras.errors import InputError
from tl_keras.system import links
from tl_keras.system.links import open_to_append, refuse_links


def test_files_and_folders_are_accepted(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "log").write_text("")
    os.link(tmp_path / "a" / "b" / "log", tmp_path / "other")
    refuse_links(tmp_path)
    refuse_links(tmp_path / "missing")
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    refuse_links(tmp_path.parent / f"{tmp_path.name}-link")


def test_a_hard_link_is_refused_where_the_file_is_extended(tmp_path):
    (tmp_path / "log").write_text("")
    os.link(tmp_path / "log", tmp_path / "other")
    with pytest.raises(InputError, match="log' is a link or no plain file"):
        refuse_links(tmp_path, in_place=["log"])


def test_a_circle_of_folders_is_refused_at_its_link(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    with pytest.raises(InputError, match="up' is a link"):
        refuse_links(tmp_path)


def test_the_number_of_files_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(links, "Budget", functools.partial(links.Budget, max_objects=3))
    for number in range(4):
        refuse_links(tmp_path)
        (tmp_path / str(number)).touch()
    with pytest.raises(InputError, match="has more than 3 objects\\): give the folder of a run"):
        refuse_links(tmp_path)


def test_a_folder_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    refuse_links(tmp_path / "file")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\): change its permissions"):
        refuse_links(tmp_path)


def test_lines_are_appended(tmp_path):
    for line in ("é\n", "b\n"):
        with open_to_append(tmp_path / "log") as file:
            file.write(line)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "é\nb\n"
    with pytest.raises(FileNotFoundError):
        open_to_append(tmp_path / "missing" / "log")


@pytest.mark.parametrize(
    "link", [os.symlink, os.link, lambda source, path: os.mkfifo(path), lambda source, path: path.mkdir()]
)
def test_nothing_is_appended_to_a_link_a_pipe_or_a_folder(tmp_path, link):
    (tmp_path / "precious").write_text("old")
    link(tmp_path / "precious", tmp_path / "log")
    if (tmp_path / "log").is_fifo():
        reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InputError, match="log' is a link or no plain file"):
        open_to_append(tmp_path / "log")
    assert (tmp_path / "precious").read_text() == "old"
    if (tmp_path / "log").is_fifo():
        os.close(reader)
