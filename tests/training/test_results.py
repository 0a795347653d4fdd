from pathlib import Path

import pytest

from tl_keras import evaluation
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.tasks.registry import TASKS
from tl_keras.training.results import (
    _decision_lines,
    _of_one_objective,
    _phase_row,
    _read_phases,
    explain_solved_head,
    format_results,
    list_facts,
)

IMAGES = TASKS["image_classification"]
SAVED = Path(__file__).parents[1] / "runs" / "saved_before_rooms"


def test_results_list_the_metrics_and_the_existing_files(tmp_path):
    run = RunFolder(tmp_path)
    run.write_json("metrics.json", {"accuracy": 0.875, "macro_f1": 0.5, "examples": 80, "per_class": {}})
    run.write_text("mistakes.png", "")
    assert (
        format_results(run, IMAGES)
        == f"test: accuracy 0.875  macro_f1 0.500  (80 examples)\n  {tmp_path / 'mistakes.png'}"
    )


def test_a_class_that_was_not_tested_is_named_below_the_figures(tmp_path):
    run = RunFolder(tmp_path)
    per_class = {"red": {"support": 80}, "blue": {"support": 0}}
    run.write_json("metrics.json", {"accuracy": 0.875, "examples": 80, "per_class": per_class})
    assert format_results(run, IMAGES, "validation").splitlines() == [
        "validation: accuracy 0.875  (80 examples)",
        "note: The figures are for 1 of 2 classes: there is no tested example of blue.",
    ]


def test_baselines_and_their_verdict_stand_below_the_figures(tmp_path):
    run = RunFolder(tmp_path)
    baselines = [{"name": "majority class", "accuracy": 0.5}, {"name": "TF-IDF", "accuracy": 0.75, "macro_f1": 0.7}]
    baselines[1]["intervals"] = {"accuracy": [0.4, 0.9]}
    metrics = {"accuracy": 0.5, "intervals": {"accuracy": [0.22, 0.78]}, "examples": 80, "baselines": baselines}
    run.write_json("metrics.json", metrics | {"verdict": ["TF-IDF is above.", "Warning: it failed."]})
    assert format_results(run, IMAGES, "validation").startswith("validation: ")
    assert format_results(run, IMAGES).splitlines() == [
        "test: accuracy 0.500 (0.22 to 0.78)  (80 examples)",
        "majority class: accuracy 0.500",
        "TF-IDF: accuracy 0.750 (0.40 to 0.90)  macro_f1 0.700",
        "TF-IDF is above.",
        "Warning: it failed.",
    ]


def test_the_single_baseline_of_an_old_run_is_read(tmp_path):
    run = RunFolder(tmp_path)
    baseline = {"name": "TF-IDF", "accuracy": 0.75, "macro_f1": 0.7, "verdict": "TF-IDF wins."}
    run.write_json("metrics.json", {"accuracy": 0.5, "examples": 80, "baseline": baseline})
    assert format_results(run, IMAGES).splitlines()[1:] == [
        "TF-IDF: accuracy 0.750  macro_f1 0.700",
        "TF-IDF wins.",
    ]


def test_runs_of_version_0_1_0_print_what_they_hold():
    run = RunFolder(SAVED / "text_classification")
    assert format_results(run, TASKS["text_classification"]).splitlines() == [
        "test: accuracy 0.500  macro_f1 0.333  (6 examples)",
        "note: Only 6 test examples say little about the network: the 95 % interval of Accuracy 0.50 is about 0.19 to "
        "0.81; test it on more.",
        "TF-IDF + logistic regression: accuracy 1.000  macro_f1 1.000",
        run.read_json("metrics.json")["baseline"]["verdict"],
    ]
    assert format_results(RunFolder(SAVED / "image_classification"), IMAGES).startswith("test: accuracy ")


def test_a_figure_that_the_examples_do_not_give_is_left_out(tmp_path):
    run = RunFolder(tmp_path)
    run.write_json("metrics.json", {"macro_f1": 0.0, "subset_accuracy": None, "examples": 40})
    assert format_results(run, IMAGES) == "test: macro_f1 0.000  (40 examples)"


def test_the_duration_of_a_resumed_run_says_what_it_leaves_out():
    assert dict(list_facts("train", 61.2, False))["Duration"] == "1 min 1 s from the start to the report"
    assert dict(list_facts("train", 8.0, True))["Duration"] == "8 s since the last resume, without the time before"


def test_losses_of_comparing_are_not_drawn_beside_those_of_labels():
    history = {"loss": [0.5, 3.0, 2.0], "accuracy": [None, 0.25, 0.5]}
    assert _of_one_objective(history) == {"loss": [None, 3.0, 2.0], "accuracy": [None, 0.25, 0.5]}
    assert _of_one_objective({"loss": [1.0]}) == {"loss": [1.0]}


def test_the_report_shows_every_phase_with_its_audit(finished_run):
    report = (finished_run[0] / "report.html").read_text(encoding="utf-8")
    for text in (
        "efficientnet_lite0",
        "head",
        "top",
        "Confusion matrix",
        "mistakes",
        "frozen bit-identical",
        ", the best one",
    ):
        assert text in report


def test_a_run_reports_intervals_and_baselines_and_logs_their_seconds(finished_run):
    run = RunFolder(finished_run[0])
    metrics = run.read_json("metrics.json")
    low, high = metrics["intervals"]["accuracy"]
    assert low <= metrics["accuracy"] <= high
    assert [one["name"] for one in metrics["baselines"]] == ["majority class", evaluation.LAST_LAYER]
    assert all(list(one) == ["name", "accuracy", "macro_f1", "intervals"] for one in metrics["baselines"])
    assert f" ({low:.2f} to {high:.2f})  macro_f1 " in finished_run[1]
    assert "\nmajority class: accuracy 0.333 (" in finished_run[1] and metrics["verdict"][0] in finished_run[1]
    assert f"\n{evaluation.LAST_LAYER}: accuracy " in finished_run[1]
    assert run.read_log("baselines")[0]["majority class"] >= 0
    for name in ("report.html", "model_card.md"):
        page = (run / name).read_text(encoding="utf-8")
        assert metrics["verdict"][0] in page and "majority class" in page and evaluation.LAST_LAYER in page, name


@pytest.mark.parametrize(
    "text", ["{}", '{"accuracy": 0.5, "examples": 2, "intervals": null}', '{"accuracy": "x", "examples": 2}']
)
def test_damaged_metrics_are_one_sentence(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(InputError, match=r"metrics\.json of the run in .* is damaged: copy the run again"):
        format_results(RunFolder(tmp_path), IMAGES)


def test_damaged_baselines_are_named(tmp_path):
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.5, "examples": 2, "baselines": [1]}')
    with pytest.raises(InputError, match=r"The baselines in metrics\.json of the run are damaged"):
        format_results(RunFolder(tmp_path), IMAGES)


DAMAGED_PHASES = [
    {"name": []},
    {"first_epoch": "x"},
    {"learning_rates": {}},
    {"learning_rates": {"head": "x"}},
    {"audit": {"frozen": 1}},
    {"best_epoch": "x"},
    {"warnings": [1]},
    {"blocks": 1},
]


@pytest.mark.parametrize("damage", DAMAGED_PHASES, ids=str)
def test_a_damaged_line_of_a_phase_is_not_reported(tmp_path, damage):
    run, audit = RunFolder(tmp_path), {"frozen": 1, "moved": 2}
    whole = {"name": "head", "first_epoch": 0, "epochs": 1, "learning_rates": {"head": 0.1}, "audit": audit}
    run.log("phase", whole)
    run.log("phase", whole | {"first_epoch": 1} | damage)
    assert [_phase_row(phase)["name"] for phase in _read_phases(run)] == ["head"]


@pytest.mark.parametrize("line", [{"lines": 1}, {}])
def test_a_damaged_line_of_decisions_is_not_reported(tmp_path, line):
    RunFolder(tmp_path).log("auto", line)
    assert _decision_lines(RunFolder(tmp_path)) == []


def test_a_solved_head_is_explained_where_it_is_first_mentioned():
    lines = ["head on all blocks", "solved heads 0.7, tuned network 0.8", "cross-validation of the solved head"]
    explained = explain_solved_head(lines)
    assert explained[1] == (
        "solved heads (a last layer fitted to its optimum by a solver, without epochs) 0.7, tuned network 0.8"
    )
    assert explained[::2] == lines[::2] and explain_solved_head(lines[:1]) == lines[:1]
