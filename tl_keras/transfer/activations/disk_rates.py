"""Write and read speed of a disk."""

import os
import tempfile
import time

import numpy as np

from tl_keras.transfer.activations.file import disk_errors

PROBE_BYTES = 2**25


def measure_rates(folder):
    """Measures the write and read speed of a disk with a file of 32 MiB.

    Writing includes flushing to the disk. On Linux the page cache is dropped before reading, which gives the speed for
    activations that exceed the free memory; smaller ones are read faster from the second epoch on.

    Args:
        folder: existing path on the disk.

    Returns:
        Tuple of bytes written per second and bytes read per second, two floats.

    Raises:
        InputError: the disk is full.
    """
    # Random bytes, because some file systems compress.
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
