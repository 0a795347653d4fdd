"""Reader of legacy PyTorch checkpoints that needs no PyTorch and runs no code of the file.

The legacy format, written by `torch.save` before version 1.6, is five pickles, then the raw numbers of each storage.
"""

import math
import os
import pickle
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from tl_keras.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C
STORAGE_DTYPES = {
    "HalfStorage": np.dtype("<f2"),
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "IntStorage": np.dtype("<i4"),
    "LongStorage": np.dtype("<i8"),
}


def read_torch_checkpoint(path):
    """Reads the tensors of a state dict.

    The pickles may build an `OrderedDict`, storages and tensors only. Any other object is refused, so that a malicious
    file cannot run code.

    Args:
        path: a legacy `.pth` file that holds one flat state dict.

    Returns:
        Dictionary from tensor name to an array of the tensor's dtype and shape, in the order of the file.

    Raises:
        InputError: the file is not a legacy checkpoint, is damaged, or holds objects other than tensors.
    """
    with open(path, "rb") as file:
        try:
            if _Unpickler(file).load() != MAGIC:
                raise pickle.UnpicklingError("the magic number is missing")
            _version, _system, state, keys = [_Unpickler(file).load() for _ in range(4)]
            storages = _read_storages(file, state, keys)
            return {name: _strided(tensor, storages[tensor.storage.key]) for name, tensor in state.items()}
        except (pickle.UnpicklingError, EOFError, KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"Cannot read {str(path)!r} as a legacy PyTorch checkpoint ({error}): expected a file written by "
                "torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)."
            ) from error


@dataclass(frozen=True)
class _Storage:
    """Describes a run of numbers in the file by its dtype and its key."""

    dtype: np.dtype
    key: str


@dataclass(frozen=True)
class _Tensor:
    """Describes a view of a storage, counted in elements."""

    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


def _rebuild_tensor(storage, offset, shape, strides, *_gradient_and_hooks):
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_DTYPES:
            return STORAGE_DTYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid):
        _kind, dtype, key, *_location_and_size = pid
        return _Storage(dtype, key)


def _read_storages(file, state, keys):
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in state.values()}
    storages = {}
    left = os.fstat(file.fileno()).st_size - file.tell()
    for key in keys:
        count = int(np.frombuffer(file.read(8), "<i8")[0])
        left -= 8 + count * dtypes[key].itemsize
        # Checked before the read, which would first allocate as much memory as the file claims.
        if count < 0 or left < 0:
            raise ValueError("a storage claims more numbers than the file has")
        storages[key] = np.frombuffer(file.read(count * dtypes[key].itemsize), dtypes[key], count)
    return storages


def _strided(tensor, storage):
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, *tensor.shape, *tensor.strides, 0) < 0 or (math.prod(tensor.shape) and last >= len(storage)):
        raise ValueError("a tensor reaches beyond its storage")
    if math.prod(tensor.shape) > len(storage):
        raise ValueError("a tensor has more numbers than its storage")
    strides = [stride * storage.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides).copy()
