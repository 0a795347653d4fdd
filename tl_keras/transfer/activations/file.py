"""The file of one array of stored activations, which tells when it is torn, cut short or changed.

payload        the rows in C order, so that a memory map of the file is the array
description    4096 bytes: SHA-256 of the rest of them, then JSON padded with blanks: key, shape, dtype, byte order and
               the CRC-32 of the payload
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

from tl_keras.errors import InputError

CHUNK = 2**22
DESCRIPTION = 4096
DIGEST = 64


class DamagedFile(ValueError):
    """A file of activations is not as it was written; the message says in what."""


class ActivationWriter:
    """Writes the rows of an array one batch after the other, in the memory of one batch.

    Args:
        file: unbuffered binary file at its beginning.
        key: hexadecimal SHA-256 that the file answers to.
        shape: shape of the whole array, tuple of int.
        dtype: name of its dtype, such as "float32" or "bfloat16".
    """

    def __init__(self, file, key, shape, dtype):
        self._file = file
        self._dtype = as_dtype(dtype)
        # Plain values: a shape that NumPy computed would be refused by JSON, and only when all rows are written.
        sides = [int(side) for side in shape]
        self._description = {"key": key, "shape": sides, "dtype": self._dtype.name, "byte_order": sys.byteorder}
        self._rows = 0
        self._checksum = 0

    def append(self, batch):
        """Writes the next rows.

        Args:
            batch: array (k, ...) of the shape of the whole but for the first axis; cast to the dtype of the whole.

        Raises:
            InputError: the disk takes no more.
            ValueError: the rows do not fit into the array.
            TypeError: the cast would lose more than precision.
        """
        shape = self._description["shape"]
        batch = np.asarray(batch).astype(self._dtype, casting="same_kind", copy=False)
        if list(batch.shape[1:]) != shape[1:] or self._rows + len(batch) > shape[0]:
            raise ValueError(
                f"Invalid value for argument `batch`. Received shape {batch.shape} after {self._rows} rows. Expected "
                f"rows of an array of shape {tuple(shape)}."
            )
        self._rows += len(batch)
        # As bytes, because the buffer of a bfloat16 array is of a kind that memoryview does not know.
        data = memoryview(np.ascontiguousarray(batch).reshape(-1).view(np.uint8))
        self._checksum = zlib.crc32(data, self._checksum)
        self._write(data)

    def finish(self):
        """Completes the file and brings it to the disk.

        Raises:
            InputError: the disk takes no more.
            ValueError: rows are missing.
        """
        if self._rows != self._description["shape"][0]:
            raise ValueError(f"Only {self._rows} of {self._description['shape'][0]} rows were written.")
        body = json.dumps({**self._description, "checksum": self._checksum}).encode().ljust(DESCRIPTION - DIGEST)
        self._write(memoryview(hashlib.sha256(body).hexdigest().encode() + body))
        with disk_errors(self._file.name):
            os.fsync(self._file.fileno())

    def _write(self, data):
        with disk_errors(self._file.name):
            while len(data):
                data = data[self._file.write(data) :]


def read_activations(file, key):
    """Maps a file into memory once all of it is known to be as it was written.

    Args:
        file: binary file, which may be closed afterwards.
        key: hexadecimal SHA-256 that the file must answer to.

    Returns:
        `np.memmap`, read only, of the shape and dtype that were written.

    Raises:
        DamagedFile: it is torn, cut short or changed, or answers to another key.
        OSError: it cannot be read.
    """
    # CRC-32 finds what disks and power cuts do at 5 GB/s; SHA-256 would take three times as long, and nobody else
    # writes here.
    size = file.seek(0, os.SEEK_END)
    description = _read_description(file, size)
    if description["key"] != key or description["byte_order"] != sys.byteorder:
        raise DamagedFile("it holds other activations")
    shape, dtype = tuple(description["shape"]), description["dtype"]
    if size != num_file_bytes(shape, dtype):
        raise DamagedFile(f"it has {size} bytes instead of {num_file_bytes(shape, dtype)}")
    if _checksum(file, num_payload_bytes(shape, dtype)) != description["checksum"]:
        raise DamagedFile("its rows are not those that were written")
    return np.memmap(file, as_dtype(dtype), "r", 0, shape)


def num_payload_bytes(shape, dtype):
    """Returns the bytes of an array of a shape (tuple of int) and a dtype (its name)."""
    return math.prod(shape) * as_dtype(dtype).itemsize


def num_file_bytes(shape, dtype):
    """Returns the bytes of the file of an array of a shape (tuple of int) and a dtype (its name)."""
    return num_payload_bytes(shape, dtype) + DESCRIPTION


def as_dtype(name):
    """Returns the `np.dtype` of a name; "bfloat16" is one of ml_dtypes, which comes with TensorFlow."""
    return np.dtype(importlib.import_module("ml_dtypes").bfloat16 if name == "bfloat16" else name)


@contextlib.contextmanager
def disk_errors(path):
    """Tells as an `InputError` what the system says about writing to a path."""
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
    return json.loads(body)


def _checksum(file, num_bytes):
    # Read, not mapped: a bad sector is then an error and not the end of the process, and the pages are not ours.
    file.seek(0)
    buffer, checksum = memoryview(bytearray(CHUNK)), 0
    while num_bytes:
        piece = buffer[: min(CHUNK, num_bytes)]
        file.readinto(piece)
        checksum = zlib.crc32(piece, checksum)
        num_bytes -= len(piece)
    return checksum
