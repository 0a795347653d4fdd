import pytest

from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.runs.same_data import is_same_data

OLD = {"training": 3, "sha256": "a"}
NEW = {"training": 3, "sha256": "b", "digest_version": 2}


@pytest.mark.parametrize("target", [{}, {"target": OLD}])
def test_records_without_a_version_are_of_the_first_one(target):
    now = {"training": 3, "sha256": "a", "digest_version": 1}
    assert is_same_data(OLD | target, now | ({"target": now} if target else {}), "run")
    assert not is_same_data(OLD | target, now | {"sha256": "c"} | target, "run")


def test_digests_of_another_version_are_not_compared_but_counts_are(capsys):
    assert is_same_data(OLD | {"target": OLD}, NEW | {"target": NEW}, "run")
    assert capsys.readouterr().out.endswith("digests of the data cannot be compared: the data are used as they are.\n")
    assert not is_same_data(OLD | {"target": OLD}, NEW | {"target": NEW | {"training": 4}}, "run")
    assert capsys.readouterr().out == ""


def test_an_unfinished_run_keeps_the_new_digests_and_a_finished_one_its_own(tmp_path):
    run = RunFolder(tmp_path)
    for finished in (False, True):
        run.write_json("data.json", OLD)
        if finished:
            run.finish()
        run.require_same_data(NEW)
        assert run.read_json("data.json") == (OLD if finished else NEW)


@pytest.mark.parametrize(
    "change",
    [
        *({"digest_version": version} for version in ("2", "garbage", None, True, 1.0, 0, -1, [2], {"a": 1})),
        *({"sha256": digest} for digest in (None, 5, {})),
        {"training": "three"},
        {"training": {"training": 3}},
    ],
)
@pytest.mark.parametrize("in_target", [False, True])
def test_a_damaged_record_is_refused(change, in_target, tmp_path):
    record = {**OLD, "target": OLD | change} if in_target else OLD | change
    now = {**NEW, "target": NEW} if in_target else NEW
    with pytest.raises(InputError, match="data.json' is damaged: give another folder"):
        is_same_data(record, now, tmp_path)


@pytest.mark.parametrize("record", [{}, {"training": 3, "digest_version": 2}, OLD | {"target": 3}])
def test_a_record_without_digest_or_target_is_refused(record, tmp_path):
    with pytest.raises(InputError, match="data.json' is damaged"):
        is_same_data(record, NEW, tmp_path)


def test_a_newer_version_is_another_version(capsys):
    assert is_same_data(NEW | {"digest_version": 3}, NEW, "run")
    assert "another version of tl_keras" in capsys.readouterr().out
