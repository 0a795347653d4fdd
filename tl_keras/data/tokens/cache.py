"""Token ids on disk, found again by what they were made of."""

import contextlib
import hashlib
import os
import zipfile
from dataclasses import astuple

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import atomic_path

# To be raised when the same texts give other arrays than before.
_LAYOUT = "tokens 2"

MAX_BYTES = 2 * 2**30
"""Larger than this a cache is not: what was not read for longest goes first."""


def token_key(texts, fingerprint, token_format):
    """Makes the name under which token ids are kept.

    Args:
        texts: list of str, or of tuples of two.
        fingerprint: str that differs where the tokenizer does.
        token_format: `TokenFormat`.

    Returns:
        str of 64 hexadecimal digits: the SHA-256 of all of it.
    """
    digest = hashlib.sha256(repr((_LAYOUT, fingerprint, astuple(token_format), len(texts))).encode())
    for text in texts:
        for part in text if isinstance(text, tuple) else (text,):
            content = part.encode("utf-8", "surrogatepass")
            # The length goes first, so that texts cannot be told apart in two ways.
            digest.update(len(content).to_bytes(8, "little"))
            digest.update(content)
        digest.update(b"\n")
    return digest.hexdigest()


def read_tokens(path):
    """Reads what `write_tokens` wrote.

    Args:
        path: `Path` of the file.

    Returns:
        tokens, offsets, segments and cut, as they were given; None if the file is missing, torn or damaged. A file
        that is read counts as new.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = arrays["tokens"], arrays["offsets"], arrays["segments"], arrays["cut"]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    with contextlib.suppress(OSError):
        # The cache of others may be read but not touched.
        os.utime(path)
    return found


def write_tokens(path, arrays):
    """Writes token ids, whole or not at all, and makes room for them.

    Files of the same folder are removed, first what was not read for longest, until all hold at most `MAX_BYTES`; the
    new one stays, however large it is.

    Args:
        path: `Path` of a .npz file; its folder is made.
        arrays: tuple of tokens, offsets, segments and cut.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            np.savez(temporary, **dict(zip(("tokens", "offsets", "segments", "cut"), arrays, strict=True)))
    except OSError as error:
        raise InputError(
            f"Cannot keep tokens in {path.parent}: {error.strerror}; make room, or name another folder for caches in "
            "the environment variable XDG_CACHE_HOME."
        ) from error
    _make_room(path)


def _make_room(new):
    ages = {}
    for file in new.parent.glob("*.npz"):
        # Another run may remove it in this moment.
        with contextlib.suppress(OSError):
            state = file.stat()
            ages[file] = state.st_mtime_ns, state.st_size
    total = sum(size for _, size in ages.values())
    for file, (_, size) in sorted(ages.items(), key=lambda item: item[1]):
        if total <= MAX_BYTES:
            break
        if file != new:
            with contextlib.suppress(OSError):
                file.unlink()
            total -= size
