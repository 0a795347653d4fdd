import errno
import hashlib
import json
import os

import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.transfer.activations.file import (
    DESCRIPTION,
    ActivationWriter,
    DamagedFile,
    as_dtype,
    num_file_bytes,
    read_activations,
)

KEY = "a" * 64


def write(path, array, dtype, batch_size=3):
    with open(path, "wb", buffering=0) as file:
        writer = ActivationWriter(file, KEY, array.shape, dtype)
        for start in range(0, len(array), batch_size):
            writer.append(array[start : start + batch_size])
        writer.finish()


def read(path, key=KEY):
    with open(path, "rb") as file:
        return read_activations(file, key)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8", "int32"])
@pytest.mark.parametrize("shape", [(7, 5, 2), (7,), (0, 5), (7, 0)])
def test_written_rows_are_read(path, shape, dtype):
    array = np.arange(70)[: int(np.prod(shape))].reshape(shape).astype(as_dtype(dtype))
    write(path, array, dtype)
    rows = read(path)
    assert isinstance(rows, np.memmap) and not rows.flags.writeable
    assert (rows.shape, rows.dtype) == (shape, as_dtype(dtype))
    np.testing.assert_array_equal(rows, array)
    assert path.stat().st_size == num_file_bytes(shape, dtype) == array.nbytes + DESCRIPTION


def test_rows_are_rounded_to_the_dtype_of_the_file(path):
    array = np.linspace(0, 1, 12, dtype="float32").reshape(4, 3)
    write(path, array, "bfloat16")
    np.testing.assert_array_equal(read(path), array.astype(as_dtype("bfloat16")))


def test_a_non_contiguous_view_is_written(path):
    array = np.arange(24.0).reshape(4, 6)[::2, ::-1]
    write(path, array, "float64")
    np.testing.assert_array_equal(read(path), array)


@pytest.mark.parametrize("position", [0, 41, 55, 60, DESCRIPTION // 2, 55 + DESCRIPTION])
def test_every_flipped_bit_is_detected(path, position):
    write(path, np.arange(56, dtype="uint8"), "uint8")
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)
    with pytest.raises(DamagedFile):
        read(path)


@pytest.mark.parametrize("size", [0, 1, 30, DESCRIPTION, 55 + DESCRIPTION])
def test_a_truncated_file_is_detected(path, size):
    write(path, np.arange(56, dtype="uint8"), "uint8")
    os.truncate(path, size)
    with pytest.raises(DamagedFile):
        read(path)


def test_a_file_that_is_too_long_is_detected(path):
    write(path, np.arange(56, dtype="uint8"), "uint8")
    path.write_bytes(b"\0" + path.read_bytes())
    with pytest.raises(DamagedFile, match="bytes instead of"):
        read(path)


def test_an_unfinished_file_is_detected(path):
    # After a power cut the file may have its full size but contain zeros.
    path.write_bytes(bytes(56 + DESCRIPTION))
    with pytest.raises(DamagedFile, match="description is torn"):
        read(path)


def test_a_file_of_another_key_is_detected(path):
    write(path, np.arange(56, dtype="uint8"), "uint8")
    with pytest.raises(DamagedFile, match="holds other activations"):
        read(path, "b" * 64)


@pytest.mark.parametrize("shape", [(2, 4), (4, 3), (2,), (2, 3, 1)])
def test_rows_that_do_not_fit_are_refused(path, shape):
    with open(path, "wb", buffering=0) as file:
        writer = ActivationWriter(file, KEY, (3, 3), "float32")
        with pytest.raises(ValueError, match="Invalid value for argument `batch`"):
            writer.append(np.zeros(shape, "float32"))


def test_a_cast_that_loses_more_than_precision_is_refused(path):
    with open(path, "wb", buffering=0) as file, pytest.raises(TypeError):
        ActivationWriter(file, KEY, (3, 3), "uint8").append(np.full((3, 3), 0.5))


def test_missing_rows_are_refused(path):
    with open(path, "wb", buffering=0) as file:
        writer = ActivationWriter(file, KEY, (3, 3), "float32")
        writer.append(np.zeros((2, 3), "float32"))
        with pytest.raises(ValueError, match="Only 2 of 3 rows"):
            writer.finish()


def test_numpy_integers_and_dtypes_are_accepted(path):
    with open(path, "wb", buffering=0) as file:
        writer = ActivationWriter(file, KEY, (np.int64(2), np.prod((3, 2))), np.dtype("float16"))
        writer.append(np.ones((2, 6)))
        writer.finish()
    assert (read(path).shape, read(path).dtype) == ((2, 6), np.float16)


class FullDisk:
    """Simulates a file on a disk that accepts 5 bytes per write and 20 in total."""

    name = "somewhere/file"

    def __init__(self):
        self.content = b""

    def write(self, data):
        if len(self.content) >= 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += bytes(data[:5])
        return min(5, len(data))


def test_partial_writes_are_completed_and_a_full_disk_is_reported():
    file = FullDisk()
    writer = ActivationWriter(file, KEY, (8,), "int32")
    writer.append(np.arange(5, dtype="int32"))
    assert file.content == np.arange(5, dtype="int32").tobytes()
    with pytest.raises(InputError, match="in 'somewhere': No space left on device; give another --cache.folder"):
        writer.append(np.arange(3, dtype="int32"))


@pytest.mark.slow
def test_more_than_two_gigabytes_are_read(path, monkeypatch):
    shape = (2**10 + 1, 2**11, 2**10)
    monkeypatch.setattr("tl_keras.transfer.activations.file.zlib.crc32", lambda data, checksum=0: checksum + len(data))
    with open(path, "wb", buffering=0) as file:
        writer = ActivationWriter(file, KEY, shape, "uint8")
        # A sparse file stands for the rows, without writing them.
        writer._rows, writer._checksum = shape[0], 2**31 + 2**21
        file.seek(2**31 + 2**21)
        writer.finish()
    assert path.stat().st_size == 2**31 + 2**21 + DESCRIPTION
    rows = read(path)
    assert rows.shape == shape
    assert rows[-1, -1, -1] == 0


SHAPES = [{"shape": "x"}, {"shape": [-1, 4]}, {"shape": [2.5]}, {"shape": None}]


@pytest.mark.parametrize("changes", [*SHAPES, {"dtype": "object"}, {"dtype": []}, {"dtype": "V8"}], ids=str)
def test_a_forged_description_is_detected(path, changes):
    write(path, np.arange(56, dtype="uint8"), "uint8")
    content = path.read_bytes()
    description = json.loads(content[-DESCRIPTION + 64 :]) | changes
    body = json.dumps(description).encode().ljust(DESCRIPTION - 64)
    path.write_bytes(content[:-DESCRIPTION] + hashlib.sha256(body).hexdigest().encode() + body)
    with pytest.raises(DamagedFile, match="lacks the key, the shape or the dtype"):
        read(path)
