from pathlib import Path

import keras
import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.saved import memory
from tl_keras.models.saved.memory import (
    affordable_batch,
    fits_untraced,
    group_limits,
    measure_tensors,
    memory_bytes,
    used_bytes,
)

IMAGE = keras.Input((8, 8, 3))


def model(outputs, inputs=IMAGE):
    return keras.Model(inputs, outputs)


def test_tensors_of_nested_models_are_counted():
    inner = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(50, 1), keras.layers.MaxPooling2D(8)])
    sizes = measure_tensors(model(inner(IMAGE)))
    assert sizes.largest == 8 * 8 * 50
    assert sizes.at_once == 5 * 8 * 8 * 50 + 8 * 8 * 3 + 50
    assert sizes.total == 2 * 8 * 8 * 3 + 8 * 8 * 50 + 2 * 50


def test_tensors_are_counted_until_their_last_use():
    chain = IMAGE
    for _ in range(100):
        chain = keras.layers.ReLU()(chain)
    assert measure_tensors(model(chain)).at_once == 5 * 8 * 8 * 3
    assert measure_tensors(model(chain)).total == 101 * 8 * 8 * 3
    branches = [keras.layers.Flatten()(keras.layers.ReLU()(IMAGE)) for _ in range(100)]
    assert measure_tensors(model(keras.layers.Add()(branches))).at_once >= 100 * 8 * 8 * 3


MORE = {
    "tile": lambda image: keras.ops.tile(image, (1000, 1, 1, 1)),
    "repeat": lambda image: keras.ops.repeat(image, 1000, axis=0),
    "repeat of all": lambda image: keras.ops.repeat(image, 1000),
    "concatenate": lambda image: keras.ops.concatenate([image] * 9, axis=0),
    "concatenate from the end": lambda image: keras.layers.Concatenate(axis=-4)([image] * 9),
    "stack": lambda image: keras.ops.stack([image] * 9, axis=0),
    "pad": lambda image: keras.ops.pad(image, ((0, 9), (0, 0), (0, 0), (0, 0))),
    "pad all": lambda image: keras.ops.pad(image, 9),
}


@pytest.mark.parametrize("name", MORE)
def test_operations_that_multiply_the_examples_are_refused(name):
    with pytest.raises(ValueError, match="multiplies the number of examples"):
        measure_tensors(model(MORE[name](IMAGE)))


def test_operations_along_other_axes_pass():
    outputs = keras.ops.tile(IMAGE, (1, 2, 1, 1))
    outputs = keras.ops.repeat(outputs, 2, axis=1)
    outputs = keras.ops.pad(keras.ops.tile(outputs, (2, 1)), ((0, 0), (1, 1), (0, 0), (0, 0)))
    outputs = keras.ops.stack([keras.ops.concatenate([outputs, outputs], axis=2)] * 2, axis=1)
    assert measure_tensors(model(outputs)).largest > 8 * 8 * 3


def test_the_batch_fits_into_half_of_the_memory(monkeypatch):
    one = 5 * 4 * 8 * 8 * 3
    for batches, expected in ((100, 32), (10, 10), (1, 1)):
        monkeypatch.setattr(memory, "memory_bytes", lambda batches=batches: 2 * one * batches)
        assert affordable_batch(model(keras.layers.Flatten()(IMAGE)), 32) == expected
    monkeypatch.setattr(memory, "memory_bytes", lambda: one)
    with pytest.raises(InputError, match="for one example, more than 50% of the memory"):
        affordable_batch(model(keras.layers.Flatten()(IMAGE)), 32)


def test_all_tensors_stay_where_a_model_is_not_traced(monkeypatch):
    chain = IMAGE
    for _ in range(9):
        chain = keras.layers.ReLU()(chain)
    monkeypatch.setattr(memory, "memory_bytes", lambda: 2 * 4 * 10 * 8 * 8 * 3)
    assert fits_untraced(model(chain), 1) and not fits_untraced(model(chain), 2)
    assert affordable_batch(model(chain), 32) == 2


def test_the_memory_is_at_most_the_limit_of_the_process(monkeypatch):
    assert memory_bytes() > 10**8
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(memory, "used_bytes", lambda: (10**7, 10**6))
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10**8, 10**9))
    assert memory_bytes() == 9 * 10**7
    monkeypatch.setattr(memory, "used_bytes", lambda: (10**9, 0))
    assert memory_bytes() == 0


@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_each_limit_of_the_process_counts(monkeypatch, kind):
    resource = pytest.importorskip("resource")
    limits = {getattr(resource, kind): 10**8}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limits.get(kind, resource.RLIM_INFINITY), 10**9))
    monkeypatch.setattr(memory, "used_bytes", lambda: (0, 0))
    assert memory_bytes() == 10**8


def test_what_the_process_has_counts_for_its_limits(tmp_path):
    addresses, data = used_bytes()
    if Path("/proc/self/statm").exists():
        kept = np.ones(10**7)
        assert min(used_bytes()[0] - addresses, used_bytes()[1] - data) >= 0.9 * kept.nbytes
    assert used_bytes(tmp_path / "missing") == (0, 0)


def test_the_memory_is_at_most_that_of_the_container(monkeypatch):
    monkeypatch.setattr(memory, "group_limits", lambda: [10**9, 10**8])
    assert memory_bytes() == 10**8


def test_the_limits_of_all_groups_around_the_process_are_read(tmp_path):
    mount, groups = tmp_path / "cgroup", tmp_path / "groups"
    (mount / "user" / "job").mkdir(parents=True)
    (mount / "memory.max").write_text("max\n")
    (mount / "user" / "memory.max").write_text("3000\n")
    (mount / "user" / "job" / "memory.max").write_text("5000\n")
    groups.write_text("1:name=systemd:/other\n0::/user/job\n")
    assert group_limits(mount, groups) == [5000, 3000]
    assert group_limits(mount, tmp_path / "missing") == []


def test_the_limit_of_an_older_system_is_read(tmp_path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("4000\n")
    assert group_limits(tmp_path, tmp_path / "missing") == [4000]
