"""Cache files of token ids, named after the texts and settings that they were made from."""

import contextlib
import hashlib
import os
from dataclasses import astuple

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.eviction import remove_least_recently_used, total_size
from tl_keras.system.stored.arrays import read_arrays

# Raise the number when the same texts give other arrays than before.
_LAYOUT = "tokens 2"
_ARRAYS = ("tokens", "offsets", "segments", "cut")

MAX_BYTES = 2 * 2**30
"""Maximum size of the cache folder; the least recently read files are removed first."""


def token_key(texts, fingerprint, token_format):
    """Computes the name under which token ids are cached.

    Args:
        texts: list of str, or of tuples of two.
        fingerprint: str that differs between tokenizers.
        token_format: `TokenFormat`.

    Returns:
        str of 64 hexadecimal digits: the SHA-256 of all arguments.
    """
    digest = hashlib.sha256(repr((_LAYOUT, fingerprint, astuple(token_format), len(texts))).encode())
    for text in texts:
        for part in text if isinstance(text, tuple) else (text,):
            content = part.encode("utf-8", "surrogatepass")
            # The length comes first, so that ("ab", "c") and ("a", "bc") differ.
            digest.update(len(content).to_bytes(8, "little"))
            digest.update(content)
        digest.update(b"\n")
    return digest.hexdigest()


def read_tokens(path):
    """Reads a file that `write_tokens` wrote, and marks it as recently used.

    Args:
        path: `Path` of the file.

    Returns:
        Tuple of tokens, offsets, segments and cut, as they were written; None if the file is missing, truncated or
        damaged.
    """
    arrays = read_arrays(path, _ARRAYS)
    if arrays is None:
        return None
    with contextlib.suppress(OSError):
        # Another user's cache may be readable but not writable.
        os.utime(path)
    return tuple(arrays[name] for name in _ARRAYS)


def write_tokens(path, arrays):
    """Writes token ids atomically and evicts old files.

    The least recently used files of the folder are removed until all together hold at most `MAX_BYTES`; the new file
    stays, whatever its size.

    Args:
        path: `Path` of a .npz file; its folder is created.
        arrays: tuple of tokens, offsets, segments and cut.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            np.savez(temporary, **dict(zip(_ARRAYS, arrays, strict=True)))
    except OSError as error:
        raise InputError(
            f"Cannot keep tokens in {path.parent}: {error.strerror}; make room, or name another folder for caches in "
            "the environment variable XDG_CACHE_HOME."
        ) from error
    files = list(path.parent.glob("*.npz"))
    remove_least_recently_used(files, lambda: total_size(files) <= MAX_BYTES, lambda file: file == path)
