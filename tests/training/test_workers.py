from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.test_replicas import ALONE, TWO_CPUS
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import RunFolder
from tl_keras.training import workers


def test_a_model_of_several_devices_becomes_one_of_one():
    def build():
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])

    model = build()
    assert workers.plain_model(build, model) is model
    many = SimpleNamespace(
        distribute_strategy=TWO_CPUS, weights=[tf.Variable(np.full(w.shape, 7.0)) for w in model.weights]
    )
    plain = workers.plain_model(build, many)
    assert all((weight.numpy() == 7).all() for weight in plain.weights)


def test_a_run_of_one_process_is_an_ordinary_run(tmp_path):
    config = parse(["--run", str(tmp_path / "run")])
    with workers.open_shared_run(config, "seed: 0\n", None) as (run, finished):
        assert (run.path, finished) == (tmp_path / "run", False)
        with workers.chief_first(run / "record.json", ALONE):
            (run / "record.json").write_text("{}")


def test_every_worker_raises_the_error_of_the_chief(tmp_path):
    (tmp_path / "file.txt").write_text("no run")
    config = parse(["--run", str(tmp_path)])
    with pytest.raises(InputError, match="holds no run"), workers.open_shared_run(config, "", None):
        pass


def test_a_run_is_resumed_on_as_many_devices(tmp_path):
    run = RunFolder(tmp_path)
    workers.require_same_devices(run, TWO_CPUS)
    workers.require_same_devices(run, TWO_CPUS)
    with pytest.raises(InputError, match="batches of 2 devices, not 1: resume it on as many"):
        workers.require_same_devices(run, ALONE)
