from typing import get_args, get_type_hints

from tl_keras.config import RunConfig
from tl_keras.tasks.registry import TASKS


def test_every_task_that_the_configuration_allows_is_there():
    assert set(get_args(get_type_hints(RunConfig)["task"])) == set(TASKS)
