import numpy as np
import pytest

from tl_keras.data.images.image_sets import ImageSet
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
    first, *digests = (tmp_path / "seen_examples.txt").read_text().splitlines()
    assert first == "digest version 1" and len(digests) == 3


def test_digests_of_the_first_version_have_no_header_and_those_of_other_versions_are_not_compared(tmp_path):
    path, images = tmp_path / "seen_examples.txt", ImageSet(np.zeros((1, 8, 8, 3), "uint8"), [0], ["a"], ("a",))
    write_seen_examples(RunFolder(tmp_path), (texts("one"),))
    path.write_text(path.read_text().partition("\n")[2])
    assert find_seen_examples(RunFolder(tmp_path), texts("one")).tolist() == [True]
    assert find_seen_examples(RunFolder(tmp_path), images) is None
    write_seen_examples(RunFolder(tmp_path), (images,))
    assert find_seen_examples(RunFolder(tmp_path), images).tolist() == [True]
    assert find_seen_examples(RunFolder(tmp_path), texts("one")) is None


def test_older_runs_know_nothing(tmp_path):
    assert find_seen_examples(RunFolder(tmp_path), texts("one")) is None


@pytest.mark.parametrize(
    "content", ["digest version 1\nab\n", "digest version garbage\n", "digest version \n", "digest version 0\n"]
)
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "seen_examples.txt").write_text(content)
    with pytest.raises(InputError, match="is damaged: copy the run again"):
        find_seen_examples(RunFolder(tmp_path), texts("one"))


def test_a_huge_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tl_keras.runs.seen_examples.MAX_BYTES", 10)
    write_seen_examples(RunFolder(tmp_path), (texts("one"),))
    with pytest.raises(InputError, match="has more than 10 bytes"):
        find_seen_examples(RunFolder(tmp_path), texts("one"))
