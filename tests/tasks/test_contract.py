"""The checks of every task in `TASKS`, as scikit-learn checks its estimators."""

import pytest

from tests.tasks import task_cases
from tl_keras.tasks.registry import TASKS


def for_tasks(*cases):
    return pytest.mark.parametrize("tiny", cases, indirect=True, ids=lambda case: case.task, scope="module")


EVERY_TASK = for_tasks(*task_cases.CASES)
TRAINED_AGAIN = for_tasks(
    *(
        pytest.param(case, marks=pytest.mark.slow) if case.task == "object_detection" else case
        for case in task_cases.CASES
    )
)
"""Further trainings of a detector are left to the slow tests."""


@pytest.fixture(scope="module")
def tiny(request, tmp_path_factory):
    return task_cases.TinyRun(request.param, tmp_path_factory.mktemp(request.param.task))


def test_every_task_has_a_case():
    assert [case.task for case in task_cases.CASES] == list(TASKS)


@EVERY_TASK
def test_results(tiny):
    task_cases.check_results(tiny)


@EVERY_TASK
def test_plain_keras(tiny):
    task_cases.check_plain_keras(tiny)


@EVERY_TASK
def test_evaluation(tiny):
    task_cases.check_evaluation(tiny)


@EVERY_TASK
def test_predictions(tiny, capsys):
    task_cases.check_predictions(tiny, capsys)


@TRAINED_AGAIN
def test_resuming(tiny):
    task_cases.check_resuming(tiny)


@TRAINED_AGAIN
def test_caching(tiny):
    task_cases.check_caching(tiny)


@EVERY_TASK
def test_fingerprint(tiny):
    task_cases.check_fingerprint(tiny)


@EVERY_TASK
def test_phases(tiny, capsys):
    task_cases.check_phases(tiny, capsys)


@EVERY_TASK
def test_refusals(tiny):
    task_cases.check_refusals(tiny)
