"""The finished run of a test file that has a `CASE`."""

import pytest

from tests.tasks import task_cases


@pytest.fixture(scope="module")
def tiny(request, tmp_path_factory):
    """The run of `CASE`, which is trained once for a file."""
    return task_cases.TinyRun(request.module.CASE, tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def run(tiny):
    """The folder of a finished run."""
    return tiny.folder


@pytest.fixture(scope="module")
def trained(tiny):
    """The same run, opened."""
    return tiny.open()
