"""Keys of stored activations: digests of everything that decides their values."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.checksums import file_sha256


def activation_key(parts):
    """Makes the key of activations from all that decides their values: where one part differs, so does the key.

    Args:
        parts: dict from str to plain values, nested as JSON allows, with NumPy arrays, NumPy scalars and bytes among
            them. The order of keys does not count, and a tuple is a list.

    Returns:
        Hexadecimal SHA-256, 64 characters.

    Raises:
        TypeError: a part is of another type, whose text could differ from one process to the next.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_arrays(arrays):
    """Digests the values, shapes and dtypes of arrays, in their order.

    Args:
        arrays: iterable of NumPy arrays, any shape and dtype, or of what NumPy makes an array of. Several are read at
            once.

    Returns:
        Hexadecimal SHA-256, 64 characters.
    """
    with ThreadPoolExecutor() as pool:
        return _joined(pool.map(_array_digest, arrays))


def digest_files(sources):
    """Digests the contents of files, in their order; neither name nor date counts.

    Args:
        sources: iterable of paths, or of bytes that stand for the contents of a file. Several are read at once.

    Returns:
        Hexadecimal SHA-256, 64 characters.

    Raises:
        InputError: a file cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        return _joined(pool.map(_file_digest, sources))


def _plain(value):
    if isinstance(value, np.ndarray):
        return {"array": digest_arrays([value])}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bytes):
        return {"bytes": digest_files([value])}
    raise TypeError(f"Invalid value for argument `parts`. Received a {type(value).__name__}: {value!r}.")


def _joined(digests):
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _array_digest(array):
    array = np.asarray(array)
    digest = hashlib.sha256(f"{array.dtype.name} {array.shape} ".encode())
    # As bytes, because the buffer of a bfloat16 array is of a kind that hashlib does not know.
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.digest()


def _file_digest(source):
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    try:
        return bytes.fromhex(file_sha256(source))
    except OSError as error:
        raise InputError(
            f"The file {str(source)!r} cannot be read any more ({error.strerror}): put it back, or take it out of the "
            "data."
        ) from error
