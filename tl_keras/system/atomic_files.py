"""Files that are written completely or not at all."""

import contextlib
import os


@contextlib.contextmanager
def atomic_path(path):
    """Yields a temporary path whose file replaces another one in a single step.

    Args:
        path: `pathlib.Path` of the file to create or to replace.

    Yields:
        Path in the same folder, with the same suffix. If the block succeeds, its file is flushed to the disk and then
        replaces `path`; if the block fails, the file is removed and `path` stays unchanged.
    """
    temporary = path.with_name(f".new-{path.name}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        # The file does not exist if the block failed before it created it.
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync_folder(folder):
    """Flushes the names in a folder to the disk to survive a power cut; Windows has no call for this."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
