import pytest

from tl_keras import load_run
from tl_keras.errors import InputError
from tl_keras.runs.own_data import load_own_split


def test_the_test_split_of_the_training_is_loaded_again(finished_run):
    run = load_run(finished_run[0])
    assert len(load_own_split(run, "test")) == run.metrics["examples"]


def test_unknown_splits_are_refused_before_anything_is_read():
    with pytest.raises(InputError, match="--split tests: a run has"):
        load_own_split(None, "tests")
