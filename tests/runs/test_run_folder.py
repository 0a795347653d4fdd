import os

import pytest

from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder

CONFIG = "seed: 0\ndata:\n  path: x\n  batch_size: 32\nrun:\n"


def test_a_written_file_replaces_the_old_one(tmp_path):
    RunFolder(tmp_path).write_text("note", "old")
    RunFolder(tmp_path).write_text("note", "nëw")
    assert (tmp_path / "note").read_bytes() == "nëw".encode()
    assert os.listdir(tmp_path) == ["note"]


def test_the_log_keeps_its_lines_in_order_and_by_event(tmp_path):
    run = RunFolder(tmp_path)
    for number in range(3):
        run.log("epoch", {"number": number})
        run.log("phase", {"name": f"päse {number}"})
    assert [line["number"] for line in run.read_log("epoch")] == [0, 1, 2]
    assert [line["name"] for line in run.read_log("phase")] == ["päse 0", "päse 1", "päse 2"]


def test_listeners_see_each_line_of_the_log(tmp_path):
    run, seen = RunFolder(tmp_path), []
    run.listeners.append(lambda *line: seen.append(line))
    run.log("epoch", {"epoch": 1})
    assert seen == [("epoch", {"epoch": 1})]


def test_an_incomplete_line_of_the_log_does_not_hide_the_others(tmp_path):
    run = RunFolder(tmp_path)
    run.log("epoch", {"epoch": 1})
    with open(tmp_path / "log.jsonl", "a", encoding="utf-8") as file:
        file.write('{"event": "epoch", "ep')
    run.log("phase", {"name": "lost with the torn line"})
    run.log("epoch", {"epoch": 2})
    assert [line["epoch"] for line in run.read_log("epoch")] == [1, 2]


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"5\n", b"{}\n", b'{"event": "epoch"}\n', b"[" * 99_999 + b"\n"])
def test_damaged_lines_of_the_log_are_skipped(tmp_path, damage):
    (tmp_path / "log.jsonl").write_bytes(damage)
    run = RunFolder(tmp_path)
    run.log("epoch", {"epoch": 1})
    assert [line["epoch"] for line in run.read_log("epoch", {"epoch": int})] == [1]


def test_a_missing_log_is_empty(tmp_path):
    assert RunFolder(tmp_path).read_log("epoch") == []


@pytest.mark.parametrize("text", ["{", "[]", "\udcff", "[" * 99_999])
def test_a_damaged_file_is_one_sentence(tmp_path, text):
    (tmp_path / "data.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match="data.json.*another folder"):
        RunFolder(tmp_path).require_same_data({"training": 3})


def test_other_data_are_refused(tmp_path):
    run = RunFolder(tmp_path)
    run.require_same_data({"training": 3, "sha256": "a"})
    with pytest.raises(InputError, match="3 training then, 4 training now.*mix test and training data"):
        run.require_same_data({"training": 4, "sha256": "b"})
