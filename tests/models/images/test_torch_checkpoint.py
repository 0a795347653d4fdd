import os
import pickle
import sys
import types

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.models.images.torch_checkpoint import MAGIC, read_torch_checkpoint


class Storage:
    def __init__(self, key, values):
        self.key, self.values = key, values


class Tensor:
    """Pickles like a PyTorch tensor, as the call that rebuilds it."""

    def __init__(self, *view):
        self.view = view

    def __reduce__(self):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (*self.view, False, {})


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        if isinstance(item, Storage):
            kind = {"f4": "FloatStorage", "i8": "LongStorage"}[item.values.dtype.str[1:]]
            return "storage", getattr(sys.modules["torch"], kind), item.key, "cpu", len(item.values), None
        return None


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Returns a function that writes a checkpoint like `torch.save` before version 1.6."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    exec("def _rebuild_tensor_v2(*view): pass", utils.__dict__)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def write(state, storages):
        path = tmp_path / "net.pth"
        with open(path, "wb") as file:
            for part in (MAGIC, 1001, {"little_endian": True}, state, [storage.key for storage in storages]):
                Pickler(file, protocol=2).dump(part)
            for storage in storages:
                file.write(np.int64(len(storage.values)).tobytes() + storage.values.tobytes())
        return path

    return write


def test_tensors_of_any_stride_offset_and_dtype_are_read(write):
    numbers, steps = Storage("1", np.arange(12, dtype="f4")), Storage("2", np.array([7], dtype="i8"))
    path = write(
        {
            "plain": Tensor(numbers, 0, (3, 4), (4, 1)),
            "transposed": Tensor(numbers, 0, (4, 3), (1, 4)),
            "shifted": Tensor(numbers, 6, (2,), (3,)),
            "scalar": Tensor(steps, 0, (), ()),
        },
        [numbers, steps],
    )
    tensors = read_torch_checkpoint(path)
    assert list(tensors) == ["plain", "transposed", "shifted", "scalar"]
    np.testing.assert_array_equal(tensors["plain"], np.arange(12).reshape(3, 4))
    np.testing.assert_array_equal(tensors["transposed"], np.arange(12).reshape(3, 4).T)
    np.testing.assert_array_equal(tensors["shifted"], [6, 9])
    assert tensors["scalar"].shape == () and tensors["scalar"] == 7
    assert tensors["plain"].dtype == np.float32 and tensors["scalar"].dtype == np.int64


class Attack:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_a_pickle_of_another_object_is_refused(write):
    numbers = Storage("1", np.zeros(1, "f4"))
    with pytest.raises(InputError, match="it asks for .*system"):
        read_torch_checkpoint(write({"weight": Attack()}, [numbers]))


@pytest.mark.parametrize("view", [(0, (4, 4), (4, 1)), (-1, (2,), (1,)), (0, (2,), (-1,)), (13, (1,), (1,))])
def test_a_tensor_beyond_its_storage_is_refused(write, view):
    numbers = Storage("1", np.zeros(12, "f4"))
    with pytest.raises(InputError, match="beyond its storage"):
        read_torch_checkpoint(write({"weight": Tensor(numbers, *view)}, [numbers]))


@pytest.mark.parametrize("length", [0, 20, 200, -8])
def test_a_truncated_file_is_refused(write, length):
    numbers = Storage("1", np.zeros(12, "f4"))
    path = write({"weight": Tensor(numbers, 0, (3, 4), (4, 1))}, [numbers])
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="net.pth"):
        read_torch_checkpoint(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"<html>", pickle.dumps({"weight": 1})])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="legacy PyTorch checkpoint"):
        read_torch_checkpoint(path)


@pytest.mark.parametrize("count", [13, 2**40, 2**62, -1, -(2**62)])
def test_a_storage_larger_than_the_file_is_refused(write, count):
    storage = Storage("1", np.arange(12, dtype="f4"))
    path = write({"a": Tensor(storage, 0, (12,), (1,))}, [storage])
    data = bytearray(path.read_bytes())
    data[-12 * 4 - 8 : -12 * 4] = np.int64(count).tobytes()
    path.write_bytes(data)
    with pytest.raises(InputError, match="claims more numbers|reaches beyond"):
        read_torch_checkpoint(path)


def test_a_tensor_larger_than_its_storage_is_refused(write):
    storage = Storage("1", np.arange(12, dtype="f4"))
    path = write({"a": Tensor(storage, 0, (10**12,), (0,))}, [storage])
    with pytest.raises(InputError, match="more numbers than its storage"):
        read_torch_checkpoint(path)
