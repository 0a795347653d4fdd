"""Cache of activations on disk, shared between runs: one file per key, least recently used files evicted first.

A process that reads or writes a file holds a lock on it. The system releases the lock when the last array that maps the
file is gone or the process dies, so a file whose lock is free is not in use.
"""

import contextlib
import mmap
import os
import re
import shutil
import uuid
from pathlib import Path

import filelock
import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import UNFINISHED
from tl_keras.system.eviction import remove_least_recently_used, total_size
from tl_keras.system.user_cache import user_cache
from tl_keras.transfer.activations.file import (
    ActivationWriter,
    DamagedFile,
    disk_errors,
    num_file_bytes,
    read_activations,
)
from tl_keras.transfer.byte_counts import format_bytes

try:
    import fcntl
except ImportError:  # Windows, where a file in use cannot be removed.
    fcntl = None

SUFFIX = ".activations"
DISK_MARGIN = 2**29


def default_folder():
    """Returns the `pathlib.Path` of the activations folder in the user's cache; it may not exist yet."""
    return user_cache() / "activations"


class ActivationStore:
    """Stores arrays on disk, each under the `activation_key` of everything that determines its values.

    Creating a store removes unfinished files of killed processes.

    Args:
        folder: path of the folder, created if missing; several stores and processes may share it.
        max_bytes: maximum total size of all files in the folder. At least 512 MiB of the disk stay free in any case.

    Raises:
        InputError: the folder cannot be created or written to.
    """

    def __init__(self, folder, max_bytes):
        self.folder = Path(folder)
        self.max_bytes = max_bytes
        self._lock = filelock.FileLock(self.folder / ".lock")
        with self.locked():
            for path in self.folder.glob(f"{UNFINISHED}*"):
                if not _in_use(path):
                    _remove(path)

    def holds(self, key):
        """Returns whether a file exists for a key, intact or damaged."""
        return self._path(key).exists()

    def num_bytes(self, key):
        """Returns the size of the file of a key, intact or damaged; 0 if there is no file."""
        return total_size([self._path(key)])

    def remove(self, key):
        """Removes the file of a key if it exists; arrays that map it stay readable."""
        _remove(self._path(key))

    def open(self, key):
        """Verifies and opens the array of a key.

        A torn, truncated or changed file is removed, and a line is printed.

        Args:
            key: hexadecimal SHA-256.

        Returns:
            `np.memmap`, read only, with rows in the order they were written; None if nothing intact is stored. The
            file is not evicted as long as the array or a view of it is alive.
        """
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                _hold(file, exclusive=False)
                array = read_activations(file, key)
        except (FileNotFoundError, PermissionError):
            return None
        except (DamagedFile, OSError) as error:
            _remove(path)
            print(f"cache: {path.name} is removed and will be computed again, because {error}", flush=True)
            return None
        with contextlib.suppress(OSError):  # Another user's cache may be read only.
            os.utime(path)
        return array

    @contextlib.contextmanager
    def create(self, key, shape, dtype):
        """Stores an array row by row: complete if the `with` block succeeds, not at all if it fails.

        If two processes store the same key at once, the later file replaces the earlier one.

        Args:
            key: hexadecimal SHA-256.
            shape: shape of the array, tuple of int, rows first.
            dtype: name of its dtype, such as "float32" or "bfloat16".

        Yields:
            `ActivationWriter`, to which all rows must be appended.

        Raises:
            InputError: the array does not fit within `max_bytes` or on the disk, or the disk becomes full.
            ValueError: the block succeeded without writing all rows.
        """
        path, temporary = self._path(key), self.folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        num_bytes = num_file_bytes(shape, dtype)
        with contextlib.ExitStack() as stack:
            stack.callback(_remove, temporary)
            with self.locked():
                self.evict(num_bytes)
                with disk_errors(temporary):
                    file = stack.enter_context(open(temporary, "xb", buffering=0))
                    _hold(file, exclusive=True)
                    # Reserve the full size now, so that other processes count it.
                    file.truncate(num_bytes)
            writer = ActivationWriter(file, key, shape, dtype)
            yield writer
            writer.finish()
            with self.locked(), disk_errors(temporary):
                file.close()
                _replace(temporary, path)

    def evict(self, needed):
        """Removes the least recently used files until there is room; files in use stay.

        Args:
            needed: bytes to make room for.

        Raises:
            InputError: removing every unused file would not make enough room; nothing is removed.
        """
        with self.locked():
            if needed > self.room():
                raise self._no_room(needed)
            remove_least_recently_used(self.folder.glob(f"*{SUFFIX}"), lambda: needed <= self._unused_bytes(), _in_use)

    def room(self):
        """Returns the bytes that could be stored if every unused file were removed."""
        with self.locked():
            files = self._files()
            used = total_size(path for path in files if _in_use(path))
            return max(0, min(self.max_bytes - used, self._free_bytes() + total_size(files) - used))

    @contextlib.contextmanager
    def locked(self):
        """Prevents other processes from creating and removing files in the `with` block; reentrant.

        Raises:
            InputError: the folder cannot be created or written to.
        """
        with contextlib.ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(self._lock)
            except (OSError, NotImplementedError) as error:  # Raised by filelock if the file system has no locks.
                raise InputError(
                    f"The folder of activations {str(self.folder)!r} cannot be used: "
                    f"{getattr(error, 'strerror', None) or error}; give --cache.folder another, or --cache.mode off."
                ) from error
            yield

    def _files(self):
        return [*self.folder.glob(f"*{SUFFIX}"), *self.folder.glob(f"{UNFINISHED}*")]

    def _unused_bytes(self):
        return min(self.max_bytes - total_size(self._files()), self._free_bytes())

    def _free_bytes(self):
        return shutil.disk_usage(self.folder).free - DISK_MARGIN

    def _path(self, key):
        if not re.fullmatch("[0-9a-f]{64}", key):
            raise ValueError(f"Invalid value for argument `key`. Received {key!r}. Expected 64 hexadecimal digits.")
        return self.folder / f"{key}{SUFFIX}"

    def _no_room(self, needed):
        return InputError(
            f"Activations of {format_bytes(needed)} do not fit into {str(self.folder)!r}, which has room for "
            f"{format_bytes(self.room())} ({format_bytes(max(0, self._free_bytes()))} free on the disk, "
            f"--cache.max_gigabytes {self.max_bytes / 1e9:g}): give --cache.folder on another disk, another "
            "--cache.max_gigabytes, or --cache.mode off."
        )


def drop_pages(array):
    """Releases the memory of rows that were read from a mapped file; they stay in the system's page cache.

    Otherwise every row that was read counts as resident memory until the array is gone.

    Args:
        array: array from `ActivationStore.open`, or a view of it; other arrays are left unchanged.
    """
    while isinstance(array, np.ndarray):
        array = array.base
    if isinstance(array, mmap.mmap) and hasattr(array, "madvise"):
        array.madvise(mmap.MADV_DONTNEED)


def _hold(file, exclusive):
    """Locks a file; a memory map of it keeps the lock when the file is closed."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)


def _in_use(path):
    if fcntl is None:
        return False
    try:
        with open(path, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)
    return False


def _remove(path):
    with contextlib.suppress(OSError):
        path.unlink()


def _replace(temporary, path):
    try:
        os.replace(temporary, path)
    except PermissionError:
        # Windows cannot replace a file in use; the existing file has the same key and therefore the same rows.
        if not path.exists():
            raise
