import shutil
from types import SimpleNamespace

import pytest

from tests.runs.bare_run import make_bare_run
from tl_keras import evaluate, export
from tl_keras.errors import InputError
from tl_keras.runs.result_folders import ORIGIN, claim_folder, open_output_folder, record_results, run_origin
from tl_keras.system.checksums import write_manifest

NAMES = ["metrics.json", "report.html"]
VERB = {"verb": "recommend"}


@pytest.fixture
def run(tmp_path):
    return make_bare_run(tmp_path / "first", "a")


@pytest.fixture
def other(tmp_path):
    return make_bare_run(tmp_path / "second", "b")


def test_the_same_call_may_repeat_and_complete_its_results(run, tmp_path):
    folder = claim_folder(tmp_path / "deep" / "out", run_origin(run, [None, "test"]), NAMES)
    (folder / "metrics.json").touch()
    assert claim_folder(folder, run_origin(run, [None, "test"]), NAMES) == folder
    shutil.copytree(run.folder, tmp_path / "moved")
    claim_folder(folder, run_origin(SimpleNamespace(folder=tmp_path / "moved"), [None, "test"]), NAMES)


def test_results_of_another_run_or_call_or_without_origin_stay(run, other, tmp_path):
    folder = claim_folder(tmp_path / "out", run_origin(run, [None, "test"]), NAMES)
    (folder / "report.html").touch()
    for one, call in ((other, [None, "test"]), (run, ["/data", "test"])):
        with pytest.raises(InputError, match=r"--output .*out' holds results of another run or call, such as 'report"):
            claim_folder(folder, run_origin(one, call), NAMES)
    (folder / ORIGIN).write_text("[]")
    with pytest.raises(InputError, match="give --output a new folder"):
        claim_folder(folder, run_origin(run, [None, "test"]), NAMES)
    (folder / ORIGIN).unlink()
    with pytest.raises(InputError, match="holds results of another run or call"):
        claim_folder(folder, run_origin(run, [None, "test"]), NAMES)


def test_results_that_somebody_has_changed_stay(tmp_path):
    names = [*NAMES, "model"]
    for _ in range(2):
        with open_output_folder(tmp_path / "out", VERB, names) as folder:
            (folder / "metrics.json").write_text("{}")
            (folder / "model").mkdir(exist_ok=True)
            (folder / "model" / "part").write_text("a")
    with pytest.raises(ZeroDivisionError), open_output_folder(folder, VERB, names):
        raise ZeroDivisionError
    for path, old in ((folder / "metrics.json", "{}"), (folder / "model" / "part", "a")):
        path.write_text("mine")
        with pytest.raises(InputError, match=f"holds '{path.relative_to(folder).parts[0]}', which was changed since"):
            claim_folder(folder, VERB, names)
        path.write_text(old)
    claim_folder(folder, VERB, names)


def test_a_killed_call_may_be_repeated(tmp_path):
    folder = claim_folder(tmp_path, VERB, NAMES)
    record_results(folder, NAMES)
    claim_folder(folder, VERB, NAMES)
    (folder / "metrics.json").write_text("half of the results")
    claim_folder(folder, VERB, NAMES)


def test_a_folder_without_results_is_taken(run, other, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").touch()
    claim_folder(tmp_path / "out", run_origin(run), NAMES)
    claim_folder(tmp_path / "out", run_origin(other), NAMES)


@pytest.mark.parametrize("arguments", [[], ["--format", "keras"]], ids=["evaluate", "export"])
def test_verbs_keep_what_somebody_has_changed(finished_run, tmp_path, arguments):
    verb, name = (export, "export.json") if arguments else (evaluate, "report.html")
    command = [str(finished_run[0]), "--output", str(tmp_path / "out"), *arguments]
    verb.main(command)
    verb.main(command)
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(InputError, match=f"holds '{name}', which was changed since"):
        verb.main(command)
    assert (tmp_path / "out" / name).read_text() == "mine"


@pytest.mark.parametrize("arguments", [[], ["--format", "keras"]], ids=["evaluate", "export"])
def test_verbs_do_not_mix_two_runs(finished_run, tmp_path, arguments):
    verb, name = (export, "model.keras") if arguments else (evaluate, "metrics.json")
    out = claim_folder(tmp_path / "out", run_origin(make_bare_run(tmp_path / "other", "b")), [])
    (out / name).write_text("of the other")
    with pytest.raises(InputError, match=f"holds results of another run or call, such as '{name}'"):
        verb.main([str(finished_run[0]), "--output", str(out), *arguments])
    assert (out / name).read_text() == "of the other"


def test_the_run_folder_itself_is_no_place_for_other_results(finished_run, tmp_path):
    run = shutil.copytree(finished_run[0], tmp_path / "run")
    write_manifest(run)
    for verb, arguments in ((evaluate, []), (export, ["--format", "keras"])):
        with pytest.raises(InputError, match="holds results of another run or call"):
            verb.main([str(run), "--output", str(run), *arguments])


def test_a_folder_of_results_is_tried_before_there_are_any(tmp_path):
    (tmp_path / "file").touch()
    for name in ("file", "file/inside", "a" * 300):
        with (
            pytest.raises(InputError, match="Cannot write to .*give --output another folder"),
            open_output_folder(tmp_path / name, VERB, NAMES),
        ):
            pass
    with pytest.raises(ZeroDivisionError), open_output_folder(tmp_path / "new" / "inside", VERB, NAMES):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with open_output_folder(tmp_path / "new", VERB, NAMES) as folder:
        (folder / "result").touch()
    assert sorted(path.name for path in folder.iterdir()) == sorted([ORIGIN, "result"])


def test_a_pattern_names_the_files_of_a_verb_and_those_of_killed_calls_are_left(tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".new-of-a-killed-call.png").touch()
    claim_folder(tmp_path, VERB, ["*.png"])
    (tmp_path / "a.png").touch()
    claim_folder(tmp_path, VERB, ["*.png"])
    with pytest.raises(InputError, match="--annotated .* such as 'a.png'"):
        claim_folder(tmp_path, {"verb": "other"}, ["*.png"], flag="--annotated")
    with open_output_folder(tmp_path, VERB, ["*.png"]):
        pass
    assert (tmp_path / ORIGIN).exists()
