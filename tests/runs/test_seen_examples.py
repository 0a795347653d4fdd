import numpy as np
import pytest

from tl_keras.data.records import Records
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.runs.seen_examples import find_seen_examples, write_seen_examples


def texts(*sources):
    return Records(list(sources), [""] * len(sources), np.zeros(len(sources)), [""] * len(sources), ("a",))


def test_training_and_validation_examples_are_recognised(tmp_path):
    run = RunFolder(tmp_path)
    write_seen_examples(run, (texts("one", "two"), texts("three")))
    assert find_seen_examples(run, texts("two ", "four", "three")).tolist() == [True, False, True]
    assert (tmp_path / "seen_examples.txt").read_text().count("\n") == 3


def test_older_runs_know_nothing(tmp_path):
    assert find_seen_examples(RunFolder(tmp_path), texts("one")) is None


def test_a_huge_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tl_keras.runs.seen_examples.MAX_BYTES", 10)
    write_seen_examples(RunFolder(tmp_path), (texts("one"),))
    with pytest.raises(InputError, match="has more than 10 bytes"):
        find_seen_examples(RunFolder(tmp_path), texts("one"))
