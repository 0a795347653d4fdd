"""Files that are written whole or not at all."""

import contextlib
import os


@contextlib.contextmanager
def atomic_path(path):
    """Gives a path to write to, whose file takes the place of another in one step.

    Args:
        path: `pathlib.Path` of the file to make or to replace.

    Yields:
        Path of a temporary file beside it with the same suffix. Where the block succeeds it replaces `path`, on the
        disk and not only in its cache; where the block fails it vanishes and `path` is as it was.
    """
    temporary = path.with_name(f".new-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        # What could not even be made is not there to remove.
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder):
    """Lets the new name of a file outlive a loss of power; Windows has no such call for folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
