"""Folders of results that a stranger has prepared: no file elsewhere is read, and no call waits or ends in a traceback.

The records beside the results are such as the stranger's own calls would have written.
"""

import json
import os

import pytest

from tl_keras import evaluate, explain, export, predict
from tl_keras.cli.former_predictions import record_path
from tl_keras.cli.verbs import run_verb
from tl_keras.runs.result_folders import FILES, ORIGIN, run_origin
from tl_keras.runs.trained_run import load_run
from tl_keras.system import checksums


@pytest.fixture
def out(finished_run, tmp_path):
    """Folder whose record says that `explain` wrote the results of the run in it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "diary.png").write_text("years of work")
    (tmp_path / "out").mkdir()
    record(tmp_path / "out", finished_run, {})
    yield tmp_path / "out"
    assert [path.read_text() for path in (tmp_path / "home").iterdir()] == ["years of work"]


def record(folder, finished_run, files, **changes):
    origin = {"verb": "explain"} | run_origin(load_run(finished_run[0])) | {FILES: files} | changes
    (folder / ORIGIN).write_text(json.dumps(origin))


def refused(verb, *arguments, capsys):
    """Runs a verb, which must end with exit code 2 and one sentence; returns the sentence."""
    with pytest.raises(SystemExit) as stop:
        run_verb(verb.main, [str(argument) for argument in arguments])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert stop.value.code == 2
    return line


def explained(finished_run, image_folder, out, capsys):
    image = next(image_folder.glob("*/*"))
    return refused(explain, finished_run[0], image, "--output", out, capsys=capsys)


def link(path):
    path.symlink_to(path.parents[1] / "home" / "diary.png")


def link_to_folder(path):
    path.symlink_to(path.parents[1] / "home", target_is_directory=True)


@pytest.mark.parametrize("name", ["old.png", "explanations.html", ORIGIN])
@pytest.mark.parametrize("make", [link, link_to_folder, os.mkfifo], ids=lambda make: make.__name__)
def test_links_and_pipes_among_results_are_refused_unread(
    finished_run, image_folder, out, name, make, capsys, monkeypatch
):
    (out / name).unlink(missing_ok=True)
    make(out / name)
    read, digest = [], checksums.file_sha256
    monkeypatch.setattr("tl_keras.runs.result_folders.file_sha256", lambda path: read.append(path) or digest(path))
    assert "is a link or no plain file" in explained(finished_run, image_folder, out, capsys)
    # The model itself belongs to the record.
    assert [path.name for path in read] == ["model.keras"]


@pytest.mark.parametrize("files", [[], "x", 3, False])
def test_digests_of_another_type_are_refused(finished_run, image_folder, out, files, capsys):
    (out / "old.png").touch()
    record(out, finished_run, files)
    assert "another run or call" in explained(finished_run, image_folder, out, capsys)


def test_a_result_of_holes_is_not_read(finished_run, image_folder, out, capsys):
    with open(out / "old.png", "wb") as file:
        file.truncate(2**40)
    assert "holes" in explained(finished_run, image_folder, out, capsys)


@pytest.mark.parametrize("name", [ORIGIN, "explanations.json"])
def test_a_folder_in_the_place_of_a_result_is_refused(finished_run, image_folder, out, name, capsys):
    # As a killed call leaves it.
    record(out, finished_run, None)
    (out / name).unlink(missing_ok=True)
    (out / name).mkdir()
    assert "is a folder, but a file is written there" in explained(finished_run, image_folder, out, capsys)


def test_a_folder_in_the_place_of_a_figure_or_an_export_is_refused(finished_run, image_folder, tmp_path, capsys):
    (tmp_path / "evaluated" / "metrics.json").mkdir(parents=True)
    (tmp_path / "exported" / "export.json").mkdir(parents=True)
    for folder in ("evaluated", "exported"):
        call = [[str(image_folder.absolute()), None]] if folder == "evaluated" else []
        origin = run_origin(load_run(finished_run[0]), *call)
        (tmp_path / folder / ORIGIN).write_text(json.dumps(origin))
    data = [finished_run[0], "--data", image_folder, "--output", tmp_path / "evaluated"]
    assert "is a folder, but a file" in refused(evaluate, *data, capsys=capsys)
    (tmp_path / "exported" / "model.keras").mkdir()
    exported = [finished_run[0], "--format", "keras", "--output", tmp_path / "exported"]
    assert "is a folder, but a file" in refused(export, *exported, capsys=capsys)


def test_the_record_of_predictions_is_not_read_through_a_link(finished_run, image_folder, tmp_path, capsys):
    table, elsewhere = tmp_path / "out.csv", tmp_path / "elsewhere.json"
    table.write_text("years of work")
    origin = {"sha256": checksums.file_sha256(table)} | run_origin(load_run(finished_run[0]))
    elsewhere.write_text(json.dumps(origin))
    record_path(table).symlink_to(elsewhere)
    call = [finished_run[0], next(image_folder.glob("*/*")), "--output", table]
    assert "no record beside it" in refused(predict, *call, capsys=capsys)
    record_path(table).unlink()
    elsewhere.rename(record_path(table))
    with open(table, "wb") as file:
        file.truncate(2**40)
    assert "holes" in refused(predict, *call, capsys=capsys)
    table.unlink()
    record_path(table).unlink()
    record_path(table).mkdir()
    assert "is a folder, but a file" in refused(predict, *call, capsys=capsys)
