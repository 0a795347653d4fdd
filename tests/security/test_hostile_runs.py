"""Untrusted run folders and data: opening them imports and runs no code that they name."""

import shutil
import sys

import pytest

import tl_keras as tl
from tl_keras import evaluate, predict
from tl_keras.config.parsing import parse
from tl_keras.data.images.find import find_records
from tl_keras.system.checksums import write_manifest


@pytest.fixture
def evil_module(tmp_path, monkeypatch):
    """Writes a module to the current folder, which is first in the import path; its import creates a canary file."""
    name = "evil_module"
    (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w').close()\nclass Thing: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    assert name not in sys.modules and not (tmp_path / "canary").exists()


@pytest.fixture
def foreign_run(finished_run, tmp_path):
    """Copies a run, so that an attacker can change it and update its manifest."""
    return shutil.copytree(finished_run[0], tmp_path / "foreign")


HOSTILE_KEYS = [
    "phases: [{train: head, until: {class_path: evil_module.Thing}}]",
    "phases: [{train: head, until: evil_module.Thing}]",
    "phases: '[{train: head, until: {class_path: evil_module.Thing}}]'",
    "phases: [{class_path: evil_module.Thing}]",
    "data: {class_path: evil_module.Thing}",
    "model: evil_module.Thing",
    "seed: !!python/object/apply:evil_module.Thing []",
    "config: other.yaml",
]


@pytest.mark.parametrize("line", HOSTILE_KEYS)
def test_a_hostile_configuration_imports_nothing(evil_module, tmp_path, line):
    (tmp_path / "config.yaml").write_text(line)
    with pytest.raises(tl.InputError):
        parse(["--config", str(tmp_path / "config.yaml")])


def test_a_run_with_a_hostile_configuration_is_refused(evil_module, foreign_run):
    text = (foreign_run / "config.yaml").read_text()
    (foreign_run / "config.yaml").write_text(text.split("\nphases:")[0] + "\n" + HOSTILE_KEYS[0] + "\n")
    write_manifest(foreign_run)
    with pytest.raises(tl.InputError, match=r"phases\[1\].until"):
        tl.load_run(foreign_run)


def test_predict_refuses_a_run_with_a_hostile_model(evil_module, foreign_run, image_folder):
    (foreign_run / "model.keras").write_bytes(b"\x80\x04cevil_module\nThing\n.")
    write_manifest(foreign_run)
    with pytest.raises(tl.InputError):
        predict.main([str(foreign_run), str(image_folder)])


@pytest.mark.parametrize("link", ["model.keras", "config.yaml", "metrics.json"])
def test_a_link_out_of_the_run_is_not_followed(foreign_run, tmp_path, link):
    shutil.move(foreign_run / link, tmp_path / "elsewhere")
    (foreign_run / link).symlink_to(tmp_path / "elsewhere")
    write_manifest(foreign_run)
    with pytest.raises(tl.InputError, match=f"missing since it was finished: {link}"):
        tl.load_run(foreign_run)


def test_a_prepared_data_set_imports_nothing(evil_module, tmp_path):
    folder = tmp_path / "data" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text('{"name": "data", "version": "1.0.0"}')
    (folder / "features.json").write_text('{"pythonClassName": "evil_module.Thing"}')
    with pytest.raises(tl.InputError, match="whose module would be imported"):
        find_records(str(tmp_path / "data"))


RECORDS = [
    '{"baselines": 2}',
    '{"baselines": [1], "verdict": ["x"]}',
    '{"baselines": [{"name": "x", "accuracy": "y"}]}',
    '{"baseline": {"name": "x"}}',
    '{"verdict": 1}',
    '{"score_threshold": "x"}',
    '{"score_threshold": NaN}',
    '{"score_threshold": 1e400}',
    "[]",
    "",
]


@pytest.mark.parametrize("record", [*RECORDS, '{"confidence": {"min_confidence": "x"}}', '{"confidence": [1]}'])
def test_damaged_metrics_of_a_run_are_refused_in_a_sentence(foreign_run, record, monkeypatch):
    (foreign_run / "metrics.json").write_text(record)
    write_manifest(foreign_run)
    run = tl.load_run(foreign_run)
    # Classifiers have no threshold, but whatever is recorded is checked before anything is computed.
    monkeypatch.setattr(
        "tl_keras.runs.trained_run.TrainedRun.predict_set", lambda self, examples: pytest.fail("computed")
    )
    with pytest.raises(tl.InputError, match=r"metrics.json"):
        evaluate.evaluate_run(run)
