"""Links in a stranger's run folder: refused before anything is written, since they lead to files of the user."""

import os
import shutil

import pytest

from tl_keras import evaluate, export
from tl_keras.cli.verbs import run_verb
from tl_keras.errors import InputError
from tl_keras.runs.opening import open_run
from tl_keras.runs.trained_run import load_run

PRECIOUS = "years of work"


@pytest.fixture
def home(tmp_path):
    """Creates the folder that the links lead to, and checks that it stays as it is."""
    folder = tmp_path / "home"
    (folder / "deeper").mkdir(parents=True)
    (folder / ".bashrc").write_text(PRECIOUS)
    yield folder
    assert {path.name for path in folder.rglob("*")} == {"deeper", ".bashrc"}
    assert (folder / ".bashrc").read_text() == PRECIOUS


@pytest.fixture
def foreign_run(finished_run, tmp_path):
    return shutil.copytree(finished_run[0], tmp_path / "foreign", ignore=shutil.ignore_patterns("evaluations"))


def link_to_folder(path, home):
    path.symlink_to(home, target_is_directory=True)


def link_to_file(path, home):
    path.symlink_to(home / ".bashrc")


def dangling_link(path, home):
    path.symlink_to(home / "new")


def hard_link(path, home):
    os.link(home / ".bashrc", path)


def pipe(path, home):
    os.mkfifo(path)


EVALUATED = {
    "evaluations": link_to_folder,
    "evaluations/test": link_to_folder,
    "evaluations/test/.new-metrics.json": link_to_file,
    "evaluations/test/metrics.json": link_to_file,
    "evaluations/test/confusion_matrix.png": link_to_file,
    "evaluations/test/mistakes.png": dangling_link,
    "evaluations/other/deep/anything": dangling_link,
    "evaluations/test/pipe": pipe,
}


@pytest.mark.parametrize("name", EVALUATED)
def test_evaluate_refuses_a_run_with_a_link(foreign_run, home, name, capsys):
    (foreign_run / name).parent.mkdir(parents=True, exist_ok=True)
    EVALUATED[name](foreign_run / name, home)
    before = sorted(foreign_run.rglob("*"))
    with pytest.raises(SystemExit) as stop:
        run_verb(evaluate.main, [str(foreign_run)])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "is a link or no plain file" in error and error.count("\n") == 1
    assert sorted(foreign_run.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "link"), [("exports", link_to_folder), ("exports/saved_model", link_to_folder), ("other", link_to_file)]
)
def test_export_refuses_a_run_with_a_link(foreign_run, home, name, link, capsys):
    (foreign_run / name).parent.mkdir(exist_ok=True)
    link(foreign_run / name, home)
    with pytest.raises(SystemExit) as stop:
        run_verb(export.main, [str(foreign_run), "--format", "keras"])
    assert stop.value.code == 2
    assert "is a link or no plain file" in capsys.readouterr().err


def test_evaluate_writes_elsewhere_on_request(foreign_run, home, tmp_path):
    (foreign_run / "evaluations" / "test").mkdir(parents=True)
    link_to_file(foreign_run / "evaluations" / "test" / "metrics.json", home)
    before = sorted(foreign_run.rglob("*"))
    results = evaluate.evaluate_run(load_run(foreign_run), output=tmp_path / "results")
    assert results.path == tmp_path / "results"
    assert {"metrics.json", "confusion_matrix.png", "mistakes.png"} <= set(os.listdir(tmp_path / "results"))
    assert sorted(foreign_run.rglob("*")) == before


RESUMED = [
    (".lock", link_to_file),
    (".lock", hard_link),
    ("log.jsonl", link_to_file),
    ("log.jsonl", hard_link),
    ("log.jsonl", pipe),
    ("log.jsonl", dangling_link),
    (".new-history.json", link_to_file),
    ("report.html", dangling_link),
    ("checkpoints", link_to_folder),
    ("checkpoints/upper_bound/log.jsonl", hard_link),
    ("checkpoints/.new-00001-000000000.npz", link_to_file),
    ("saved_model/variables", link_to_folder),
]


@pytest.mark.parametrize(("name", "link"), RESUMED, ids=lambda part: getattr(part, "__name__", part))
def test_a_run_with_a_link_is_not_resumed(foreign_run, home, name, link):
    (foreign_run / "SHA256SUMS").unlink()
    text = (foreign_run / "config.yaml").read_text()
    (foreign_run / name).unlink(missing_ok=True)
    (foreign_run / name).parent.mkdir(parents=True, exist_ok=True)
    link(foreign_run / name, home)
    before = sorted(foreign_run.rglob("*"))
    with pytest.raises(InputError, match="is a link or no plain file"), open_run(foreign_run, "x", text):
        pass
    assert sorted(foreign_run.rglob("*")) == before


def test_a_run_without_links_that_the_user_reaches_through_one_is_evaluated(foreign_run, tmp_path):
    (tmp_path / "link").symlink_to(foreign_run, target_is_directory=True)
    assert evaluate.evaluate_run(load_run(tmp_path / "link")).path.name == "test"
