"""Each cell of four notebooks that take long runs on less data; `.ci/run` executes three others as they are."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "notebooks"
SHORTER = {
    "03_sentiment_analysis": {
        '"--config", "sentiment", ': '"--config", "sentiment", "--data.examples_per_class", "8", ',
        '"--epochs", "3"': '"--epochs", "2"',
        "BUDGETS = (8, 32)": "BUDGETS = (4,)",
        '"--data.validation_fraction", "0.005"': '"--data.validation_fraction", "0.005", "--epochs", "2"',
        '"--data.examples_per_class", "32"': '"--data.examples_per_class", "4"',
        '"--epochs", "18"': '"--epochs", "3"',
        "len(films), 300": "len(films), 20",
    },
    "04_does_transfer_pay": {
        "auto,fine_tuning,scratch": "auto,scratch",
        '"--budgets", "5,20", "--draws", "3"': '"--budgets", "1,2", "--draws", "1"',
        '"--budgets", "5,20", "--draws", "4"': '"--budgets", "1,2", "--draws", "1"',
    },
    "05_object_detection": {
        "max_train_images=120": "max_train_images=8",
        "epochs=3,": "epochs=1,",
        "epochs=12,": "epochs=1,",
        "epochs=15,": "epochs=1,",
    },
    "06_domains": {
        "examples_per_class=40": "examples_per_class=4",
        "epochs=5,": "epochs=1,",
        "epochs=6,": "epochs=1,",
        "weights=[0.3, 1.0]": "weights=[0.3], epochs=1",
        "epochs=30,": "epochs=1,",
    },
}
"""Code of a notebook, and what stands in its place."""


@pytest.mark.parametrize("name", SHORTER)
def test_all_cells_run(name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    left = dict(SHORTER[name])
    for cell in notebook.cells:
        for code in [code for code in left if cell.cell_type == "code" and code in cell.source]:
            cell.source = cell.source.replace(code, left.pop(code))
    assert not left
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(FOLDER)}}).execute()
