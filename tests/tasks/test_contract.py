"""The checks of every task: those of image classification, and that no task goes without them."""

from pathlib import Path

import numpy as np
import pytest

from tests.models.small_backbone import small_backbone
from tests.tasks import task_cases
from tl_keras.tasks.registry import TASKS

CASE = task_cases.TaskCase(
    "image_classification",
    task_cases.write_images,
    "tl_keras.models.images.classifiers.build_backbone",
    small_backbone,
    lambda folder: [folder / "blue" / "0.png", folder / "red" / "0.png"],
    task_cases.PIXELS,
    np.asarray,
)


class TestContract(task_cases.TaskChecks):
    """Checks image classification."""


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_checked(name):
    files = Path(__file__).parent.glob("test_*.py")
    checked = [text for file in files if "class TestContract(task_cases.TaskChecks)" in (text := file.read_text())]
    assert any(f'task_cases.TaskCase(\n    "{name}",' in text for text in checked)
