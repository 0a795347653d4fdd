"""Duplicate image files, which belong into the same split."""

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tl_keras.system.stored.files import refuse_sparse


def group_equal_files(sources):
    """Groups images whose files are equal.

    Only files whose size another file has are read.

    Args:
        sources: list of paths or encoded images (bytes).

    Returns:
        List of int, for each image the row of its first duplicate, or its own.
    """
    sizes = [_size(source) for source in sources]
    counts = Counter(sizes)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        suspects = [row for row, size in enumerate(sizes) if size >= 0 and counts[size] > 1]
        digests = dict(zip(suspects, pool.map(_digest, [sources[row] for row in suspects]), strict=True))
    first_rows = {}
    return [
        row if digests.get(row) is None else first_rows.setdefault(digests[row], row) for row in range(len(sources))
    ]


def _size(source):
    """Returns the number of bytes; -1 if the file is missing or is no regular file."""
    if isinstance(source, bytes):
        return len(source)
    return os.path.getsize(source) if os.path.isfile(source) else -1


def _digest(source):
    """Returns the BLAKE2b of an image; None if it cannot be read, which decoding reports."""
    if isinstance(source, bytes):
        return hashlib.blake2b(source, digest_size=16).digest()
    try:
        refuse_sparse(source)
        with open(source, "rb") as stream:
            return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()
    except OSError:
        return None
