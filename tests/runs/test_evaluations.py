import json

import pytest

import tl_keras as tl
from tl_keras.runs.evaluations import comparison_lines
from tl_keras.tasks.registry import TASKS

TASK = TASKS["image_classification"]


def test_a_run_evaluates_its_own_split_and_other_data(finished_run, image_folder, tmp_path):
    run = tl.load_run(finished_run[0])
    before = json.loads((finished_run[0] / "metrics.json").read_text())
    metrics = run.evaluate(output=tmp_path / "own")
    assert metrics["confusion_matrix"] == before["confusion_matrix"] and metrics["verdict"] == before["verdict"]
    assert (tmp_path / "own" / "confusion_matrix.png").is_file()
    assert run.evaluate(image_folder, split="all", output=tmp_path / "all")["examples"] == 36
    with pytest.raises(tl.InputError, match="--split odd: a run has train, validation, test"):
        run.evaluate(split="odd")


def test_a_comparison_has_a_line_for_each_baseline_and_the_verdict():
    metrics = {"baselines": [{"name": "majority class", "accuracy": 0.25}], "verdict": ["Better."]}
    first, second = comparison_lines(metrics, TASK)
    assert first.startswith("majority class: accuracy 0.25") and second == "Better."


def test_a_damaged_comparison_is_one_sentence():
    with pytest.raises(tl.InputError, match="The baselines in metrics.json of the run are damaged"):
        comparison_lines({"baselines": [1]}, TASK)
