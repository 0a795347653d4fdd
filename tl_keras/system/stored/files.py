"""Files that claim far more than they store: holes, which the system reads as zeros, and values repeated by number.

Their author pays a few kilobytes, and their reader gigabytes of memory or hours.
"""

import errno
import math
import os
from pathlib import Path

FREE_BYTES = 2**26
"""Size up to which a file may claim any multiple of what it stores."""
MAX_RATIO = 100
"""How many times its stored bytes a larger file may claim; compressed texts reach a tenth of this."""


def is_excessive(claimed, stored):
    """Returns whether a number of bytes is too large for those that are stored.

    Args:
        claimed: bytes that a file would take in memory.
        stored: bytes that it takes on the disk.
    """
    return claimed > FREE_BYTES and claimed > MAX_RATIO * stored


def is_sparse(path):
    """Returns whether a file consists almost only of holes.

    Args:
        path: path of an existing file.
    """
    status = os.stat(path)
    # Windows does not say how much is stored.
    if not is_excessive(status.st_size, 512 * getattr(status, "st_blocks", math.inf)):
        return False
    # Some network disks store nothing by their own account, but they have no holes either.
    with open(path, "rb") as file:
        return os.lseek(file.fileno(), 0, os.SEEK_HOLE) < status.st_size


def refuse_sparse(path):
    """Refuses a file that consists almost only of holes.

    Args:
        path: path of the file.

    Raises:
        OSError: it does, or it is missing.
    """
    if is_sparse(path):
        raise OSError(errno.EFBIG, "it consists almost only of holes")


def read_bytes(path):
    """Reads a file that others may have made.

    Args:
        path: path of the file.

    Returns:
        bytes.

    Raises:
        OSError: it cannot be read, or consists almost only of holes.
    """
    refuse_sparse(path)
    return Path(path).read_bytes()


def read_text(path, encoding="utf-8", errors="strict"):
    """Reads a text file that others may have made, with line ends of any system.

    Args:
        path: path of the file.
        encoding: its encoding.
        errors: what happens to bytes that it does not have, as in `open`.

    Returns:
        str.

    Raises:
        OSError: as in `read_bytes`.
        UnicodeDecodeError: it has another encoding.
    """
    refuse_sparse(path)
    return Path(path).read_text(encoding, errors)
