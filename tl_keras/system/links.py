"""Links in folders of others: refused before anything is written, because a write would follow them elsewhere."""

import os
import stat
from pathlib import Path

from tl_keras.errors import InputError
from tl_keras.system.budget import Budget, OverBudget


def refuse_links(folder, in_place=()):
    """Refuses a folder that contains a symbolic link, a pipe or a device, at any depth.

    Args:
        folder: path of the folder; it may itself be a link, and need not exist.
        in_place: names of files that are extended or overwritten in place; they must not be hard links either, which
            are further names of a file elsewhere.

    Raises:
        InputError: names the first one found, or the folder holds more files than a `Budget` allows.
    """
    folders, budget = [Path(folder)], Budget()
    while folders:
        for entry in _entries(folders.pop()):
            try:
                budget.visit()
            except OverBudget as error:
                raise InputError(
                    f"Cannot check the folder {str(folder)!r} ({error}): give the folder of a run."
                ) from error
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                folders.append(Path(entry.path))
            elif not stat.S_ISREG(status.st_mode) or (entry.name in in_place and status.st_nlink > 1):
                raise _refusal(entry.path)


def refuse_link(path):
    """Refuses a path that is a symbolic link, a pipe or a device, or a folder with one in it.

    Args:
        path: `pathlib.Path`, which need not exist.

    Raises:
        InputError: names the first one found.
    """
    if os.path.lexists(path) and (path.is_symlink() or not (path.is_file() or path.is_dir())):
        raise _refusal(path)
    refuse_links(path)


def open_to_append(path):
    """Opens a text file to append to it, but no link.

    Args:
        path: path of the file; it is created if missing.

    Returns:
        Open file, UTF-8.

    Raises:
        InputError: the path is a symbolic or hard link, or not a plain file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if os.path.islink(path) or os.path.isdir(path):
            raise _refusal(path) from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _refusal(path)
    return open(descriptor, "a", encoding="utf-8")


def _entries(folder):
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"The folder {str(folder)!r} cannot be read ({error.strerror}): change its permissions."
        ) from error


def _refusal(path):
    return InputError(
        f"{str(path)!r} is a link or no plain file, so writing to it could change files elsewhere: replace it by the "
        "file itself, or copy the folder without links."
    )
