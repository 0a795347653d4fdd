"""Keys of cached activations: digests of everything that determines their values."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.checksums import file_sha256


def activation_key(parts):
    """Computes the key of activations from everything that determines their values.

    Args:
        parts: dict from str to JSON values, which may be nested and may contain NumPy arrays, NumPy scalars and bytes.
            The order of dict keys does not matter, and a tuple equals a list.

    Returns:
        Hexadecimal SHA-256, 64 characters. It differs whenever a part differs.

    Raises:
        TypeError: a part has another type, whose text could differ between processes.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_arrays(arrays):
    """Digests the values, shapes, dtypes and order of arrays, several at once.

    Args:
        arrays: iterable of NumPy arrays of any shape and dtype, or of values that NumPy converts to arrays.

    Returns:
        Hexadecimal SHA-256, 64 characters.
    """
    with ThreadPoolExecutor() as pool:
        return _joined(pool.map(_array_digest, arrays))


def digest_files(sources):
    """Digests the contents and order of files, several at once; names and dates do not matter.

    Args:
        sources: iterable of paths, or of bytes in place of a file's contents.

    Returns:
        Hexadecimal SHA-256, 64 characters.

    Raises:
        InputError: a file cannot be read.
    """
    with ThreadPoolExecutor() as pool:
        return _joined(pool.map(file_digest, sources))


def file_digest(source):
    """Digests the content of a file; its name and date do not matter.

    Args:
        source: path, or bytes in place of a file's content.

    Returns:
        SHA-256, 32 bytes.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    try:
        return bytes.fromhex(file_sha256(source))
    except OSError as error:
        raise InputError(
            f"The file {str(source)!r} can no longer be read ({error.strerror}): restore it, or remove it from the "
            "data."
        ) from error


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
    # View as bytes: hashlib does not support the buffer of a bfloat16 array.
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return digest.digest()
