import pytest

from tl_keras.config import RunConfig
from tl_keras.errors import InputError
from tl_keras.tasks.base import Task
from tl_keras.tasks.registry import TASKS


def test_tasks_are_named_by_their_keys():
    assert all(isinstance(task, Task) and task.name == name for name, task in TASKS.items())


def test_an_unknown_task_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="'image_clasification': did you mean 'image_classification'"):
        RunConfig(task="image_clasification")
