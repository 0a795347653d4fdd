"""How fast a disk takes and gives bytes."""

import os
import tempfile
import time

import numpy as np

from tl_keras.transfer.activations.file import disk_errors

PROBE_BYTES = 2**25


def measure_rates(folder):
    """Measures how fast a disk takes and gives bytes, by 32 MiB.

    What is written counts when the disk has it. What is read comes from the disk where the system lets its own cache be
    emptied (Linux): activations that fit into free memory come faster than that from the second epoch on, so this is
    the rate of those that do not.

    Args:
        folder: existing path on the disk.

    Returns:
        Tuple of the bytes written and the bytes read in a second, two floats.

    Raises:
        InputError: the disk takes no more.
    """
    # Random, because some file systems compress.
    data = np.random.default_rng(0).bytes(PROBE_BYTES)
    with disk_errors(os.path.join(folder, "probe")), tempfile.TemporaryFile(dir=folder) as file:
        write_seconds = _seconds(_write_through, file, data)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(0)
        read_seconds = _seconds(file.readinto, bytearray(PROBE_BYTES))
    return PROBE_BYTES / write_seconds, PROBE_BYTES / read_seconds


def _write_through(file, data):
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _seconds(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started
