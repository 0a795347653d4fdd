"""Names with control characters in the data: the files that a run writes for people show none of them raw."""

import contextlib
import csv
import io
import json
import shutil

import pytest

from tests.eager_functions import eager_functions
from tl_keras import train
from tl_keras.config.config_files import read_config
from tl_keras.data.wording import printable
from tl_keras.system.escaping import CONTROL_CHARACTERS

EVIL = "\x1b]0;evil\x07\x9b2J\u202e"
FORMULA = "=1+1;@x"
FOR_PEOPLE = (".html", ".md", ".yaml", ".txt")


@pytest.fixture(scope="module")
def evil_run(image_folder, tmp_path_factory):
    """Folder of a run on images whose folder, classes and names hold control characters and formulas."""
    from tests.models.small_backbone import small_backbone

    root = tmp_path_factory.mktemp("evil")
    data = shutil.copytree(image_folder, root / f"data{EVIL}")
    for number, path in enumerate(sorted(data.glob("*/*"))):
        path.rename(path.with_name(f"{number}{EVIL}.png"))
    (data / "red").rename(data / f"red{EVIL}")
    (data / "blue").rename(data / FORMULA)
    (data / FORMULA / f"bad{EVIL}.png").write_text("no image")
    flags = {"data.path": data, "data.image_size": 32, "data.on_bad_file": "skip", "data.max_bad_files": 0.1}
    flags |= {"model.weights": "none", "phases": "[{train: head}]", "run": root / "run"}
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()), eager_functions():
        patch.setattr("tl_keras.models.images.classifiers.build_backbone", small_backbone)
        train.main([f"--{name}={value}" for name, value in flags.items()])
    return data, root / "run"


def test_files_for_people_have_no_control_characters(evil_run):
    files = [path for path in evil_run[1].rglob("*") if path.suffix in FOR_PEOPLE and path.name != "seen_examples.txt"]
    assert {path.name for path in files} >= {"config.yaml", "report.html", "model_card.md", "skipped.txt"}
    for path in files:
        text = path.read_text(encoding="utf-8").replace("\n", "").replace("\t", "")
        assert not CONTROL_CHARACTERS.search(text), path.name


def test_what_is_read_again_keeps_the_names(evil_run):
    data, run = evil_run
    assert read_config(run / "config.yaml")["data"]["path"] == str(data)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["per_class"]) == {"green", printable(f"red{EVIL}"), FORMULA}


def test_no_cell_is_a_formula_and_plots_are_drawn(evil_run):
    with open(evil_run[1] / "predictions.csv", encoding="utf-8", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert "'=1+1;'@x" in cells and not any(cell.startswith("=") for cell in cells)
    assert (evil_run[1] / "confusion_matrix.png").stat().st_size > 500
