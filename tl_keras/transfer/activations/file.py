"""File format for one array of cached activations; torn, truncated and changed files are detected.

payload        the rows in C order, so that a memory map of the file is the array
description    4096 bytes: SHA-256 of the remaining bytes, then JSON padded with blanks: key, shape, dtype, byte order
               and the CRC-32 of the payload

Not `.npy`: `open_memmap` writes through a memory map, where a full disk kills the process instead of raising an error.
"""

import contextlib
import hashlib
import importlib
import json
import math
import os
import sys
import zlib

import numpy as np

from tl_keras.errors import InputError, counted

CHUNK = 2**22
DESCRIPTION = 4096
DIGEST = 64
DTYPES = ("bool", "bfloat16", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
DTYPES += ("float16", "float32", "float64")


class DamagedFile(ValueError):
    """Signals that a file of activations differs from what was written; the message says how."""


class ActivationWriter:
    """Writes the rows of an array batch by batch, using the memory of one batch.

    Args:
        file: unbuffered binary file, positioned at its start.
        key: hexadecimal SHA-256 that identifies the activations.
        shape: shape of the whole array, tuple of int.
        dtype: name of its dtype, such as "float32" or "bfloat16".
    """

    def __init__(self, file, key, shape, dtype):
        self._file = file
        self._dtype = as_dtype(dtype)
        # JSON cannot encode NumPy integers, and the error would come only after all rows were written.
        sides = [int(side) for side in shape]
        self._description = {"key": key, "shape": sides, "dtype": self._dtype.name, "byte_order": sys.byteorder}
        self._rows = 0
        self._checksum = 0

    def append(self, batch):
        """Writes the next rows.

        Args:
            batch: array (k, ...), the shape of the whole array except for the first axis; cast to its dtype.

        Raises:
            InputError: the disk is full.
            ValueError: the rows do not fit into the array.
            TypeError: the cast would lose more than precision.
        """
        shape = self._description["shape"]
        batch = np.asarray(batch).astype(self._dtype, casting="same_kind", copy=False)
        if list(batch.shape[1:]) != shape[1:] or self._rows + len(batch) > shape[0]:
            raise ValueError(
                f"Invalid value for argument `batch`. Received shape {batch.shape} after {counted(self._rows, 'row')}. "
                f"Expected rows of an array of shape {tuple(shape)}."
            )
        self._rows += len(batch)
        # View as bytes: memoryview does not support the buffer of a bfloat16 array.
        data = memoryview(np.ascontiguousarray(batch).reshape(-1).view(np.uint8))
        self._checksum = zlib.crc32(data, self._checksum)
        self._write(data)

    def finish(self):
        """Writes the description and flushes the file to disk.

        Raises:
            InputError: the disk is full.
            ValueError: rows are missing.
        """
        if self._rows != self._description["shape"][0]:
            raise ValueError(f"Only {self._rows} of {counted(self._description['shape'][0], 'row')} were written.")
        body = json.dumps({**self._description, "checksum": self._checksum}).encode().ljust(DESCRIPTION - DIGEST)
        self._write(memoryview(hashlib.sha256(body).hexdigest().encode() + body))
        with disk_errors(self._file.name):
            os.fsync(self._file.fileno())

    def _write(self, data):
        with disk_errors(self._file.name):
            while len(data):
                data = data[self._file.write(data) :]


def read_activations(file, key):
    """Verifies a whole file and maps its rows into memory.

    Args:
        file: binary file, which may be closed afterwards.
        key: hexadecimal SHA-256 of the expected activations.

    Returns:
        `np.memmap`, read only, with the shape and dtype that were written.

    Raises:
        DamagedFile: the file is torn, truncated or changed, or holds the activations of another key.
        OSError: the file cannot be read.
    """
    # CRC-32 detects damage by disks and power cuts and is several times faster than SHA-256. Deliberate changes are no
    # concern: the folder is the user's own.
    size = file.seek(0, os.SEEK_END)
    description = _read_description(file, size)
    if description["key"] != key or description["byte_order"] != sys.byteorder:
        raise DamagedFile("it holds other activations")
    shape, dtype = description["shape"], description["dtype"]
    if size != num_file_bytes(shape, dtype):
        raise DamagedFile(f"it has {counted(size, 'byte')} instead of {num_file_bytes(shape, dtype)}")
    if _checksum(file, num_payload_bytes(shape, dtype)) != description["checksum"]:
        raise DamagedFile("its rows do not match their checksum")
    return np.memmap(file, as_dtype(dtype), "r", 0, tuple(shape))


def num_payload_bytes(shape, dtype):
    """Returns the bytes of an array from its shape (tuple of int) and the name of its dtype."""
    return math.prod(shape) * as_dtype(dtype).itemsize


def num_file_bytes(shape, dtype):
    """Returns the bytes of an array's file from its shape (tuple of int) and the name of its dtype."""
    return num_payload_bytes(shape, dtype) + DESCRIPTION


def as_dtype(name):
    """Returns the `np.dtype` of a name, including "bfloat16" from ml_dtypes."""
    return np.dtype(importlib.import_module("ml_dtypes").bfloat16 if name == "bfloat16" else name)


@contextlib.contextmanager
def disk_errors(path):
    """Turns system errors of writing to a path into an `InputError`."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Activations cannot be stored in {os.path.dirname(path)!r}: {error.strerror or error}; give another "
            "--cache.folder, a smaller --cache.max_gigabytes, or --cache.mode off."
        ) from error


def _read_description(file, size):
    file.seek(max(0, size - DESCRIPTION))
    block = file.read(DESCRIPTION)
    digest, body = block[:DIGEST], block[DIGEST:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise DamagedFile("its description is torn")
    try:
        description = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DamagedFile("its description is no JSON") from error
    if not _is_description(description):
        raise DamagedFile("its description lacks the key, the shape or the dtype")
    return description


def _is_description(value):
    return (
        isinstance(value, dict)
        and {"key", "byte_order", "checksum"} <= value.keys()
        and isinstance(value.get("shape"), list)
        and all(type(side) is int and 0 <= side < 2**48 for side in value["shape"])
        and value.get("dtype") in DTYPES
    )


def _checksum(file, num_bytes):
    # Read instead of mapped: a bad sector then raises an error instead of killing the process, and the pages do not
    # count as memory of this process.
    file.seek(0)
    buffer, checksum = memoryview(bytearray(CHUNK)), 0
    while num_bytes:
        piece = buffer[: min(CHUNK, num_bytes)]
        file.readinto(piece)
        checksum = zlib.crc32(piece, checksum)
        num_bytes -= len(piece)
    return checksum
