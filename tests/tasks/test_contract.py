"""The checks of every task in `TASKS`, as scikit-learn checks its estimators."""

import pytest

from tests.tasks import task_cases
from tl_keras.tasks.registry import TASKS

SLOW = "object_detection"
"""Its further trainings are left to the slow tests."""


@pytest.fixture(scope="module", params=task_cases.CASES, ids=lambda case: case.task)
def tiny(request, tmp_path_factory):
    return task_cases.TinyRun(request.param, tmp_path_factory.mktemp(request.param.task))


@pytest.fixture
def quick(tiny):
    if tiny.case.task == SLOW:
        pytest.skip("slow, see below")
    return tiny


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    [case] = [case for case in task_cases.CASES if case.task == SLOW]
    return task_cases.TinyRun(case, tmp_path_factory.mktemp(SLOW))


def test_every_task_has_a_case():
    assert [case.task for case in task_cases.CASES] == list(TASKS)


def test_results(tiny):
    task_cases.check_results(tiny)


def test_plain_keras(tiny):
    task_cases.check_plain_keras(tiny)


def test_evaluation(tiny):
    task_cases.check_evaluation(tiny)


def test_predictions(tiny, capsys):
    task_cases.check_predictions(tiny, capsys)


def test_resuming(quick):
    task_cases.check_resuming(quick)


def test_caching(quick):
    task_cases.check_caching(quick)


def test_fingerprint(tiny):
    task_cases.check_fingerprint(tiny)


def test_phases(tiny, capsys):
    task_cases.check_phases(tiny, capsys)


def test_refusals(tiny):
    task_cases.check_refusals(tiny)


@pytest.mark.slow
def test_resuming_slowly(slow):
    task_cases.check_resuming(slow)


@pytest.mark.slow
def test_caching_slowly(slow):
    task_cases.check_caching(slow)
