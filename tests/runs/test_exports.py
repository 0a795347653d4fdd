import json
import shutil

import pytest

from tl_keras import load_run
from tl_keras.errors import InputError
from tl_keras.runs import exports
from tl_keras.runs.exports import export_run


@pytest.fixture
def quick(monkeypatch):
    """Measures one turn of each export."""
    monkeypatch.setattr("tl_keras.exporting.latency.ROUNDS", 1)
    monkeypatch.setattr("tl_keras.exporting.latency.SECONDS_PER_TURN", 1e-6)


@pytest.mark.usefixtures("quick")
def test_exports_are_checked_and_measured(finished_run, tmp_path, capsys):
    run = load_run(finished_run[0])
    results = run.export("keras", output=tmp_path / "out")
    assert json.loads((tmp_path / "out" / "export.json").read_text()) == results
    baseline, row = results["exports"]
    assert baseline["name"] == "model.predict" and set(baseline["milliseconds"]) == {"1", "32"}
    assert (row["name"], row["file"], row["difference"]) == ("keras", "model.keras", 0)
    assert results["metric"] == "accuracy" and row["value"] == pytest.approx(run.metrics["accuracy"])
    assert f"keras: {tmp_path / 'out' / 'model.keras'}, largest difference 0" in capsys.readouterr().out


def test_without_its_data_a_run_is_compared_but_not_measured(finished_run, tmp_path, monkeypatch, capsys):
    def gone(run):
        raise InputError("Nothing found at 'photos'")

    monkeypatch.setattr(exports, "load_own_splits", gone)
    run = load_run(finished_run[0])
    results = export_run(run, "keras", output=tmp_path)
    assert results["metric"] is None and results["exports"][1]["difference"] == 0
    assert "accuracy is not measured: Nothing found at 'photos'" in capsys.readouterr().err
    with pytest.raises(InputError, match="Nothing found"):
        monkeypatch.setattr(exports, "check_packages", lambda exports: None)
        export_run(run, "litert", "int8", tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused(finished_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write exports to"):
        export_run(load_run(finished_run[0]), "keras", output=tmp_path / "file" / "out")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.keras").symlink_to(tmp_path / "file")
    with pytest.raises(InputError, match="link"):
        export_run(load_run(finished_run[0]), "keras", output=tmp_path / "folder")


def test_the_exports_in_a_run_folder_leave_the_run_as_it_was(finished_run, tmp_path, monkeypatch, capsys):
    shutil.copytree(finished_run[0], tmp_path / "run")
    (tmp_path / "run" / "exports").mkdir()
    (tmp_path / "run" / "exports" / "model.onnx").write_text("")
    load_run(tmp_path / "run")
    assert "changed" not in capsys.readouterr().err
