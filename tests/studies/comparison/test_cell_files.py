import json
from dataclasses import asdict
from pathlib import Path

import filelock
import pytest

from tests.studies.comparison.comparisons import make_result
from tl_keras.errors import InputError
from tl_keras.studies.comparison.cell_files import DATA, LOCK, LOG, ComparisonFolder
from tl_keras.studies.comparison.grid import Cell
from tl_keras.studies.comparison.results import ClassResult
from tl_keras.system.atomic_files import UNFINISHED

CONFIG = "seed: 0\nmax_time: 10m\n"
CELL = Cell("auto", "5", 1)


def test_finished_cells_are_kept_with_more_time_but_not_with_another_seed(tmp_path):
    folder = ComparisonFolder(tmp_path / "new" / "comparison", ClassResult)
    with folder.opened(CONFIG) as files:
        files.require_same_data({"training": 3, "sha256": "a"})
        files.write(CELL, make_result(0.75))
    with folder.opened("seed: 0\nmax_time: 20m\n") as files:
        files.require_same_data({"training": 3, "sha256": "a"})
        assert files.read([CELL, Cell("auto", "5", 2)], 200) == {CELL: make_result(0.75)}
        with pytest.raises(InputError, match="The data changed since the comparison"):
            files.require_same_data({"training": 4, "sha256": "a"})
    with pytest.raises(InputError, match=r"has other settings: .*--output"), folder.opened("seed: 1\n"):
        pass


def test_invalid_data_leave_nothing_that_later_settings_must_match(tmp_path):
    with pytest.raises(ZeroDivisionError), ComparisonFolder(tmp_path, ClassResult).opened(CONFIG):
        raise ZeroDivisionError
    with ComparisonFolder(tmp_path, ClassResult).opened("seed: 1\n") as files:
        files.require_same_data({"training": 3, "sha256": "a"})


def test_what_a_killed_comparison_left_does_not_stop_the_same_command(tmp_path):
    for name in (LOCK, DATA, f"{UNFINISHED}{'0' * 24}.yaml"):
        (tmp_path / name).touch()
    with ComparisonFolder(tmp_path, ClassResult).opened(CONFIG) as files:
        files.require_same_data({"training": 3, "sha256": "a"})
    assert {path.name for path in tmp_path.iterdir()} >= {DATA, "config.yaml"}


@pytest.mark.parametrize("name", [LOCK, LOG, "cells/x.json"])
def test_a_comparison_of_a_stranger_with_links_is_not_resumed(tmp_path, name):
    (tmp_path / "home").touch()
    folder = tmp_path / "comparison"
    (folder / name).parent.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / name).symlink_to(tmp_path / "home")
    with pytest.raises(InputError, match="is a link"), ComparisonFolder(folder, ClassResult).opened(CONFIG):
        pass
    assert (tmp_path / "home").read_text() == ""


def test_other_folders_and_processes_are_left_alone(tmp_path):
    (tmp_path / "photo.jpg").touch()
    with (
        pytest.raises(InputError, match="holds something else"),
        ComparisonFolder(tmp_path, ClassResult).opened(CONFIG),
    ):
        pass
    with (
        pytest.raises(InputError, match="cannot be used"),
        ComparisonFolder(tmp_path / "photo.jpg", ClassResult).opened(CONFIG),
    ):
        pass
    folder = tmp_path / "taken"
    folder.mkdir()
    with (
        filelock.FileLock(folder / ".lock"),
        pytest.raises(InputError, match="Another comparison is working"),
        ComparisonFolder(folder, ClassResult).opened(CONFIG),
    ):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"labels": 3}',
        *(
            json.dumps(asdict(make_result(0.5)) | other)
            for other in (
                {"correct": "012"},
                {"correct": "01"},
                {"correct": 5},
                {"correct": ["0", "1"] * 100},
                {"labels": "<b>"},
                {"steps": None},
                {"seconds": True},
                {"cpu_seconds": float("nan")},
            )
        ),
    ],
)
def test_damaged_cells_are_one_sentence(tmp_path, text):
    with ComparisonFolder(tmp_path, ClassResult).opened(CONFIG) as files:
        files.require_same_data({"training": 3, "sha256": "a"})
        files.write(CELL, make_result(0.5))
        Path(tmp_path / "cells" / f"{CELL}.json").write_text(text)
        with pytest.raises(InputError, match="remove it, and it is measured again"):
            files.read([CELL], 200)


@pytest.mark.parametrize("name", ["cells", "log.txt", ".lock"])
def test_links_in_the_folder_of_a_stranger_are_refused(tmp_path, name):
    folder, elsewhere = tmp_path / "comparison", tmp_path / "elsewhere"
    with ComparisonFolder(folder, ClassResult).opened(CONFIG) as files:
        files.require_same_data({"training": 3, "sha256": "a"})
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link"), ComparisonFolder(folder, ClassResult).opened(CONFIG):
        pass
    assert not elsewhere.exists()


def test_a_folder_that_cannot_be_locked_is_one_sentence(tmp_path):
    (tmp_path / ".lock").mkdir()
    with (
        pytest.raises(InputError, match="cannot be used.*--output another"),
        ComparisonFolder(tmp_path, ClassResult).opened(CONFIG),
    ):
        pass


def test_sentences_on_suspicious_labels_are_kept(tmp_path):
    files = ComparisonFolder(tmp_path, ClassResult)
    assert files.read_suspicious() == []
    files.write_suspicious(["3 labels of “Ä” are suspicious."])
    assert files.read_suspicious() == ["3 labels of “Ä” are suspicious."]
    for damaged in ("[1]", "{}", "[", json.dumps(["x" * 1_000_001])):
        (tmp_path / "suspicious_labels.json").write_text(damaged)
        with pytest.raises(InputError, match="suspicious_labels.json.*: remove it"):
            files.read_suspicious()
