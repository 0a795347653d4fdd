"""Cells of the benchmark: one contender, trained on one draw of one data set and tested on the test set."""

import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np
from child_seconds import child_seconds

from few_label_suite.contenders import RECIPES, command_of
from few_label_suite.draws import draw_examples
from few_label_suite.environment import ROOT, make_environment
from few_label_suite.sets import SETS
from tl_keras import evaluation, models
from tl_keras.system.atomic_files import atomic_path

FIGURES = ("accuracy", "log_loss", "expected_calibration_error")


@dataclass(frozen=True)
class Cell:
    """One measurement."""

    set: str
    """Key of `SETS`."""
    budget: str
    """Labels of each class, or "all"."""
    draw: int
    """Number of the draw, and the seed."""
    contender: str
    """Key of `CONTENDERS`."""

    @property
    def is_warm(self):
        """True if features that earlier draws computed are read; draw 0 computes its own, so that its time counts."""
        return self.draw > 0

    def path(self, folder):
        """Returns the path of the result, a JSON file; a log of the same name lies beside it."""
        return folder / "cells" / self.contender / f"{self.set}-{self.budget}-{self.draw}.json"


def read_cells(folder):
    """Reads all finished cells.

    Args:
        folder: `pathlib.Path` of the benchmark.

    Returns:
        Dict from `Cell` to its result.
    """
    results = {}
    for path in sorted((folder / "cells").glob("*/*.json")):
        name, budget, draw = path.stem.rsplit("-", 2)
        results[Cell(name, budget, int(draw), path.parent.name)] = json.loads(path.read_text(encoding="utf-8"))
    return results


def read_table(path):
    """Reads a table of cells.

    Args:
        path: `pathlib.Path` of a CSV file that `write_table` wrote.

    Returns:
        Dict from `Cell` to its result; empty if there is no file.
    """
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [field.name for field in fields(Cell)]
    cells = [Cell(**{name: row.pop(name) for name in names}) for row in rows]
    results = [{name: float(value) if "." in value else int(value) for name, value in row.items()} for row in rows]
    return {replace(cell, draw=int(cell.draw)): result for cell, result in zip(cells, results, strict=True)}


def write_table(cells, path):
    """Writes cells as a table, one a row.

    Args:
        cells: dict from `Cell` to its result.
        path: `pathlib.Path` of the CSV file.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*asdict(next(iter(cells))), *next(iter(cells.values()))], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(cell) | result for cell, result in sorted(cells.items(), key=lambda pair: str(pair[0])))


def run_cell(cell, folder, image_size, torch_python=None):
    """Runs a contender in a new process and writes its result, unless it is there.

    Args:
        cell: `Cell`.
        folder: `pathlib.Path` of the benchmark.
        image_size: side of the images in pixels for contenders other than tl_keras.
        torch_python: path of an interpreter with torch, for peers.

    Returns:
        dict: the `FIGURES` on the test set; `cpu_seconds` of the process and its children, user and system, from start
        to end; `train_examples` and `test_examples`. None if the contender fails; its log says why.
    """
    path = cell.path(folder)
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        job = make_job(cell, folder, image_size, Path(temporary))
        job_file = Path(temporary) / "job.json"
        job_file.write_text(json.dumps(job), encoding="utf-8")
        command = command_of(cell.contender, job, job_file, torch_python)
        environment = make_environment((folder if cell.is_warm else Path(temporary)) / "cache")
        before = child_seconds()
        done = _run(command, environment, path.with_suffix(".log"))
        seconds = child_seconds() - before
        if done.returncode:
            print(f"{cell} failed with exit code {done.returncode}: see {path.with_suffix('.log')}", file=sys.stderr)
            return None
        metrics = _read_metrics(cell, job)
    sizes = {f"{part}_examples": len(job[part]["items"]) for part in ("train", "test")}
    result = {name: metrics[name] for name in FIGURES} | {"cpu_seconds": seconds} | sizes
    with atomic_path(path) as unfinished:
        unfinished.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def make_job(cell, folder, image_size, temporary):
    """Writes the table of a draw and lists the settings of a cell, ready for JSON."""
    draw = draw_examples(cell.set, cell.budget, cell.draw, folder / "sets")
    return {
        "contender": cell.contender,
        "draw": cell.draw,
        "kind": SETS[cell.set].kind,
        "weights": SETS[cell.set].weights,
        "image_size": image_size,
        "table": draw.table,
        "train": draw.train,
        "test": draw.test,
        "run": str(temporary / "run"),
        "features": str(folder / "features" / f"{cell.set}.npz") if cell.is_warm else None,
        "output": str(temporary / "probabilities.npy"),
        "encoder": str(models.fetch_minilm()) if cell.contender == "setfit" else None,
    }


def _run(command, environment, log):
    with open(log, "w", encoding="utf-8") as file:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False)


def _read_metrics(cell, job):
    if cell.contender in RECIPES:
        return json.loads((Path(job["run"]) / "metrics.json").read_text(encoding="utf-8"))
    names = sorted(set(job["train"]["labels"]))
    labels = [names.index(label) for label in job["test"]["labels"]]
    return evaluation.classification_metrics(labels, np.load(job["output"]), names)
