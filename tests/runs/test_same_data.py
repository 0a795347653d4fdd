import pytest

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
