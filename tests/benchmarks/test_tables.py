"""Runs every script of `benchmarks/` with toy measurements, and compares the columns of its table with the docs."""

import importlib
import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from figure_checks.catalogue import read_catalogue
from figure_checks.comparing import BOUNDS

from tl_keras.config import CacheConfig

ROOT = Path(__file__).parents[2]

METRICS = {
    "accuracy": 0.5,
    "macro_f1": 0.5,
    "baselines": [{"name": "TF-IDF + logistic regression", "accuracy": 0.5, "macro_f1": 0.5}],
    "adaptation": {
        "kept": "mcc × 1",
        "target": {name: {"accuracy": value} for value, name in enumerate(("source_only", "adapted", "upper_bound"))},
    },
}
PHASES = [{"phase": phase, "parameters": 10, "rate": 1.0, "bytes": 1.0} for phase in ("head", "block2", "all")]
GROWTH = {"pass": 1.0, "all": 2.0, "disk": 1.0, "peak of the pass": 1.0, "peak": 1.0, "1": 5.0, "2": 6.0}
TIMES = {"cpu": 1.0, "wall": 1.0, "first": 1.0, "accuracy": 0.5}
SCORES = {
    "reverse_validation": 0.5,
    "information_maximization": 0.5,
    "source_accuracy": 0.5,
    "class_coverage": 0.5,
}
ADAPTED = [(SCORES, 0.5), (SCORES | {"information_maximization": 0.7}, 0.6)]
EXPORTS = (
    {name: {"name": name, "value": 0.8} for name in ("model.predict", "savedmodel", "onnx")},
    "accuracy",
    {size: {"model.predict": 10.0, "savedmodel": 9.0, "onnx": 1.0} for size in (1, 32)},
)
WITHOUT_TABLE = {
    "transfer_cases": "the cases of the others",
    "child_seconds": "a clock of the others",
    "peak_memory": "a measure of the others",
    "text_torch": "a part of text",
    "few_labels": "test_few_labels",
    "figures": "test_figure_checks",
    "calibration": "test_calibration",
    "decoding": "test_decoding",
}
AUTO_GROWTH = {
    "reading_seconds": 1.0,
    "seconds": 2.0,
    "megabytes": 3.0,
    "disk_megabytes": 4.0,
    "metrics": {"accuracy": 0.5, "intervals": {"accuracy": [0.25, 0.75]}},
}
RUNS = {
    "adaptation": ["--method", "mcc", "--seeds", "2"],
    "adaptation_gate": ["--pair", "inverted", "--draws", "2"],
    "auto_growth": ["--counts", "40", "60"],
    "corruptions": ["--corruption", "noise", "--corruption", "blur", "--seeds", "2"],
    "detection": [],
    "distribution": ["--rounds", "2"],
    "export": ["run"],
    "fixed_costs": ["--rounds", "2"],
    "label_curve": ["--sizes", "25", "100", "300", "--recipe", "linear_probe_then_fine_tune", "--seeds", "2"],
    "labels": ["next", "--folder", "none", "--sets", "emoji", "--draws", "2"],
    "listing": ["--files", "6", "--classes", "2"],
    "recommend": ["--folder", "none", "--sets", "emoji"],
    "recommend_cost": ["--rounds", "2"],
    "text": ["--torch_python", "none", "--rounds", "1"],
    "transfer_engine": [],
    "transfer_growth": ["--examples", "128", "2048"],
}
"""Arguments by script."""
DOCUMENTED = {
    "adaptation": "adaptation.md",
    "adaptation_gate": "adaptation.md",
    "corruptions": "adaptation.md",
    "labels": "labels.md",
    "distribution": "scaling.md",
    "transfer_engine": "engine.md",
}
"""Scripts whose table a page shows as it is printed, perhaps without some columns."""

NOT_PRINTED_HERE = {
    "exports_of_texts",
    "listing",
    "labels_check",
    "labels_check_emoji",
    "labels_gain",
    "transfer_growth_phases",
    "traffic_computed",
}
"""Commands of the catalogue of figures that print another table than those of `RUNS`, or in another process."""


@pytest.fixture
def toy(monkeypatch):
    """Imports a script, and replaces what takes long by numbers."""

    def run_training(config):
        folder = Path(config.run)
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps(METRICS))
        return folder

    def load(name):
        module = importlib.import_module(name)
        monkeypatch.setattr("tl_keras.run_training", run_training, raising=False)
        instead = {
            "adaptation_gate": {
                "compute_features": lambda domain: domain,
                "measure": lambda *arguments: dict.fromkeys(module.METHODS, ADAPTED),
            },
            "auto_growth": {"train": lambda kind, path, folder, max_time: AUTO_GROWTH},
            "corruptions": {"write_target": lambda records, name, folder: folder},
            "detection": {"run_in_process": lambda options, job: [0.1, 0.2] if len(job) == 1 else 3.0},
            "distribution": {"measure": lambda workers: PHASES},
            "export": {
                "tl": SimpleNamespace(load_run=lambda run: SimpleNamespace(task=SimpleNamespace(takes_texts=False))),
                "measure_run": lambda run, rounds: EXPORTS,
            },
            "fixed_costs": {
                "train_run": lambda folder: folder,
                "call_seconds": lambda run: {"run.predict": 0.1},
                "process_seconds": lambda arguments: 1.0,
            },
            "labels": {
                "FeaturesOfSet": lambda name, folder: None,
                "choose_in_rounds": lambda examples, draw: [0.5, 0.6, 0.7, 0.8],
                "choose_at_random": lambda examples, seed: [0.1 * place for place in range(9)],
            },
            "recommend": {
                "draw_examples": lambda *arguments: SimpleNamespace(table="none"),
                "first_choice": lambda *arguments: "efficientnet_lite1",
                "fine_tuned": lambda table, backbone, *others: np.arange(9) % 2 == len(backbone) % 2,
            },
            "recommend_cost": {"measure": lambda *arguments: (34.0, 62.9)},
            "text": {"measure": lambda *arguments: TIMES, "make_reviews": lambda *arguments: {}},
            "transfer_engine": {"measure_in_process": lambda *arguments: 1.0},
            "transfer_growth": {"measure_in_process": lambda *arguments: GROWTH},
        }
        for attribute, value in instead.get(name, {}).items():
            monkeypatch.setattr(module, attribute, value)
        return module

    return load


def tables(text):
    """Yields the header, without its alignment, and the rows of each table, as lists of cells."""
    lines = [line.strip().strip("|").split(" | ") if line.startswith("|") else None for line in text.splitlines()]
    for is_table, group in itertools.groupby(lines, key=lambda cells: cells is not None):
        if is_table:
            header, _, *rows = [[cell.strip() for cell in cells] for cells in group]
            yield header, rows


def run(module, arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *arguments])
    module.main()
    return capsys.readouterr().out


def test_every_script_is_run_here():
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    assert scripts - WITHOUT_TABLE.keys() - {"transfer_floor"} == RUNS.keys()


@pytest.mark.parametrize("name", RUNS)
def test_a_script_prints_rows_below_the_columns_of_the_docs(name, toy, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    printed = run(toy(name), RUNS[name], monkeypatch, capsys)
    found = list(tables(printed))
    assert found and all(len(row) == len(header) for header, rows in found for row in rows)
    if name == "listing":
        # The rows are printed by another process.
        return
    assert all(rows for _, rows in found)
    if name in DOCUMENTED:
        page = (ROOT / "docs" / DOCUMENTED[name]).read_text(encoding="utf-8")
        shown = [set(header) for header, _ in tables(page)]
        assert any(columns <= set(header) for header, _ in found for columns in shown if len(columns) > 3)
    for command in read_catalogue().commands:
        if f"benchmarks/{name}.py" in command.run and command.name not in NOT_PRINTED_HERE:
            for figure in command.figures:
                fields = {field for row in figure.find_measured(printed).values() for field in row}
                assert fields >= {field for field in figure.kinds if not field.endswith(BOUNDS)}, figure.text


def test_the_floor_of_a_case_is_printed(monkeypatch, capsys, small_network, eager):
    floor = importlib.import_module("transfer_floor")
    monkeypatch.setitem(
        floor.CASES, "toy", importlib.import_module("transfer_cases").Case("efficientnet_lite0", 32, ("head", "top"), 1)
    )
    monkeypatch.setattr(floor, "measure_gemm_rate", lambda dtype: 1e9)
    found = list(tables(run(floor, ["--case", "toy", "--examples", "4"], monkeypatch, capsys)))
    assert [len(header) for header, _ in found] == [6, 4]


def test_the_package_accepts_each_case_of_the_activation_cache():
    cases = importlib.import_module("transfer_cases")
    for name, case in cases.CASES.items():
        config = cases.make_config(case, CacheConfig())
        assert [phase.train for phase in config.phases] == list(case.blocks), name
