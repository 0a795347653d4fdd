import os

import pytest

from tl_keras.cli.output_files import (
    choose_format,
    open_output,
    refuse_input,
    refuse_inputs,
    refuse_other_images,
)
from tl_keras.errors import InputError

LABELS = {"table", "csv", "jsonl", "parquet"}


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        (None, None, "table"),
        (None, "p.csv", "csv"),
        (None, "folder.csv/P.JSONL", "jsonl"),
        (None, "p.txt", "table"),
        (None, "p.parquet", "parquet"),
        (None, "p", "table"),
        ("jsonl", "p.csv", "jsonl"),
        ("table", "p.xlsx", "table"),
    ],
)
def test_the_format_follows_the_suffix(name, path, expected):
    assert choose_format(name, path, LABELS) == expected


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        (
            None,
            "p.xlsx",
            "--output 'p.xlsx' names no known format: give it the suffix .csv or .jsonl or .parquet or .txt, or --fo",
        ),
        (None, "p.json", "names no known format"),
        ("coco", "p.json", "--format coco is not for this run: take one of csv, jsonl, parquet, table"),
    ],
)
def test_other_formats_are_refused(name, path, message):
    with pytest.raises(InputError, match=message):
        choose_format(name, path, LABELS)
    assert choose_format(None, "p.json", LABELS | {"coco"}) == "coco"


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("old")
    with pytest.raises(KeyError), open_output(str(path)) as stream:
        stream.write("new")
        raise KeyError
    assert path.read_text() == "old" and [one.name for one in tmp_path.iterdir()] == ["p.csv"]


def test_images_of_another_call_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "001-a.png").touch()
    (tmp_path / ".new-of-a-killed-call.png").touch()
    refuse_other_images(tmp_path, ["001-a.png"], "--output", ["page.html"])
    (tmp_path / "page.html").touch()
    for names, other in ((["001-a.png"], "page.html"), (["page.html"], "001-a.png")):
        with pytest.raises(InputError, match=f"results of another call, such as '{other}'"):
            refuse_other_images(tmp_path, names, "--output", ["page.html"])


def test_an_input_in_the_folder_of_the_results_is_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for item in (tmp_path / "a.png", tmp_path / "link" / "a.png"):
        with pytest.raises(InputError, match="--output .* would replace .*a.png', an input: give another folder"):
            refuse_inputs(tmp_path, ["a.png"], [str(item)], "--output")
    refuse_inputs(tmp_path, ["a.png"], [str(tmp_path / "b.png"), b"a.png"], "--output")


def test_a_pipe_or_a_device_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for name in ("pipe", "link"):
        with pytest.raises(InputError, match="it is no plain file"), open_output(str(tmp_path / name)):
            pass
    assert {path.name: path.is_file() for path in tmp_path.iterdir()} == {"pipe": False, "link": False}


def test_an_output_does_not_replace_what_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to("photos")
    for place in ("photos/a.png", "./photos/../photos/a.png", "link/a.png"):
        with pytest.raises(InputError, match="is read for the predictions or the training: give another file"):
            refuse_input(place, ["photos/b.png", "photos/a.png"])
    refuse_input("photos/a.csv", ["photos/a.png", "A text, and/or another"])
    refuse_input(None, ["photos/a.png"])
