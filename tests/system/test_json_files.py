import os

import pytest

from tl_keras.errors import InputError
from tl_keras.system import json_files
from tl_keras.system.budget import Budget
from tl_keras.system.json_files import read_json


def test_a_file_is_read(tmp_path):
    (tmp_path / "a.json").write_text('{"ä": [1]}', encoding="utf-8")
    budget = Budget()
    assert read_json(tmp_path / "a.json", dict, "copy it again", budget) == {"ä": [1]}
    assert budget.size == 11


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"[]", "it holds a list, expected a dict"),
        (b"\xff", "can't decode"),
        (b"[" * 100_000, "recursion"),
        (b"1" * 5_000, "it holds an integer of 5000 digits"),
        (b'{"a": -1' + b"0" * 400 + b"}", "it holds an integer of 402 digits"),
        (b" " * 101, "it has more than 100 bytes"),
    ],
)
def test_other_content_is_refused_in_a_sentence(tmp_path, content, reason, monkeypatch):
    if reason.startswith("it has"):
        monkeypatch.setattr(json_files, "MAX_JSON_BYTES", 100)
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"Cannot read .*a.json' \(.*{reason}.*\): copy it again") as error:
        read_json(tmp_path / "a.json", dict, "copy it again")
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(("make", "reason"), [(None, "missing"), (os.mkdir, "no plain"), (os.mkfifo, "no plain")])
def test_other_than_a_file_is_refused(tmp_path, make, reason):
    if make:
        make(tmp_path / "a.json")
    with pytest.raises(InputError, match=f"it is {reason}"):
        read_json(tmp_path / "a.json", dict, "copy it again")


def test_a_deeply_nested_file_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"a":' + "[" * 99 + "]" * 99 + "}")
    assert read_json(tmp_path / "a.json", dict, "copy it again")
    (tmp_path / "a.json").write_text('{"a":' + "[" * 200 + "]" * 200 + "}")
    with pytest.raises(InputError, match="nested more than 100 levels"):
        read_json(tmp_path / "a.json", dict, "copy it again")
