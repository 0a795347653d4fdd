"""Files that are written completely or not at all, and never through a link.

Whoever made a folder may have put links to files of the user into it under the names that we write. A new file
therefore has a name that nobody can foresee, and replaces the link of its final name, not the file behind it.

Temporary files and folders are locked while their process lives, so that a later one removes those of killed ones: the
system releases the locks of a process however it ends. Where a file system, or Windows, has no locks, nothing is
removed.
"""

import contextlib
import functools
import os
import re
import secrets
import shutil
import stat
from pathlib import Path

from tl_keras.errors import InputError

try:
    import fcntl
except ImportError:
    fcntl = None

UNFINISHED = ".new-"
"""Start of the names of temporary files and folders."""
OWN_NAME = re.compile(rf"{re.escape(UNFINISHED)}[0-9a-f]{{24}}(\.[^.]+)?")
"""Names that are locked; older versions had shorter ones, whose processes may live."""


@contextlib.contextmanager
def atomic_path(path):
    """Yields the path of a new temporary file that replaces another one in a single step.

    Several processes may write the same file at once: each has a temporary file of its own, and the last one wins.

    Args:
        path: `pathlib.Path` of the file to create or to replace.

    Yields:
        Path of an empty file in the same folder, with the same suffix. If the block succeeds, the file is flushed to
        the disk and then replaces `path`; if the block fails, it is removed and `path` stays unchanged.

    Raises:
        InputError: `path` is a folder.
    """
    with new_file(path.parent, path.suffix) as temporary:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        move_to(temporary, path)
        _sync_folder(path.parent)


def move_to(path, place):
    """Moves a file or a folder to its place, where it replaces another file or an empty folder.

    Args:
        path: `pathlib.Path` of the file or folder.
        place: `pathlib.Path` of its place.

    Raises:
        InputError: a folder stands in the place of a file, or a file in that of a folder.
    """
    try:
        os.replace(path, place)
    except OSError as error:
        if not os.path.lexists(place) or path.is_dir() == place.is_dir():
            raise
        found, expected = ("folder", "file") if place.is_dir() else ("file", "folder")
        raise InputError(
            f"{str(place)!r} is a {found}, but a {expected} is written there: remove it, or rename it."
        ) from error


def create_folder(path):
    """Creates a folder and those above it, unless they are there.

    Args:
        path: `pathlib.Path` of the folder.

    Raises:
        InputError: a file stands in its place.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{str(path)!r} is a file, but a folder is needed there: remove it, or rename it.") from error


def write_text(path, text):
    """Writes a UTF-8 text file and replaces an existing one in a single step.

    Args:
        path: `pathlib.Path` of the file.
        text: its content, with the same line ends on every system.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def remove_unfinished(folder):
    """Removes the temporary files and folders of killed processes; no other process may be writing to the folder.

    Args:
        folder: `pathlib.Path` of the folder.
    """
    for path in folder.glob(f"{UNFINISHED}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextlib.contextmanager
def new_file(folder, suffix):
    """Creates an empty file under a random name, and removes it in the end unless it was moved.

    Args:
        folder: `pathlib.Path` of its folder.
        suffix: end of its name, such as ".json".

    Yields:
        `Path` of the file.
    """
    # O_EXCL also refuses a link of this name.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with _locked(folder, suffix, lambda path: os.open(path, flags, 0o666), Path.unlink) as path:
        yield path


@contextlib.contextmanager
def new_folder(parent):
    """Creates an empty folder under a random name, and removes it with its files in the end.

    Args:
        parent: `pathlib.Path` of the folder that it is made in.

    Yields:
        `Path` of the folder.
    """
    with _locked(parent, "", _make_folder, shutil.rmtree) as path:
        yield path


@contextlib.contextmanager
def _locked(folder, suffix, create, remove):
    _remove_dead(os.path.abspath(folder))
    path, descriptor = _create(folder, suffix, create)
    try:
        yield path
    finally:
        # It does not exist if it was moved.
        with contextlib.suppress(OSError):
            remove(path)
        if descriptor is not None:
            os.close(descriptor)


def _create(folder, suffix, create):
    """Creates a path and locks it; where another process has taken it for dead in between, under a new name."""
    while True:
        path = folder / f"{UNFINISHED}{secrets.token_hex(12)}{suffix}"
        descriptor = create(path)
        if fcntl is None:
            # Windows moves no open file.
            if descriptor is not None:
                os.close(descriptor)
            return path, None
        if _lock(descriptor) is not False and os.path.exists(path):
            return path, descriptor
        os.close(descriptor)


def _make_folder(path):
    os.mkdir(path)
    return None if fcntl is None else os.open(path, os.O_RDONLY)


def _lock(descriptor):
    """Returns whether a lock could be taken, or None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@functools.lru_cache(maxsize=1_000)
def _remove_dead(folder):
    """Removes what killed processes left in a folder, once in each process, since a folder may hold many files."""
    names = []
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(folder) if fcntl and OWN_NAME.fullmatch(name)]
    for name in names:
        # Another process may have removed it, and it may belong to another user.
        with contextlib.suppress(OSError):
            _remove_if_dead(os.path.join(folder, name))


def _remove_if_dead(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if _lock(descriptor) is not True:
            return
        if stat.S_ISDIR(mode):
            shutil.rmtree(path)
        elif stat.S_ISREG(mode):
            os.unlink(path)
    finally:
        os.close(descriptor)


def _sync_folder(folder):
    """Flushes the names in a folder to the disk to survive a power cut; Windows has no call for this."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
