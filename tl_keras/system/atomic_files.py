"""Files that are written completely or not at all, and never through a link.

Whoever made a folder may have put links to files of the user into it under the names that we write. A new file
therefore has a name that nobody can foresee, and replaces the link of its final name, not the file behind it.
"""

import contextlib
import os
import secrets
import shutil

UNFINISHED = ".new-"
"""Start of the names of temporary files; those of killed processes remain."""


@contextlib.contextmanager
def atomic_path(path):
    """Yields the path of a new temporary file that replaces another one in a single step.

    Several processes may write the same file at once: each has a temporary file of its own, and the last one wins.

    Args:
        path: `pathlib.Path` of the file to create or to replace.

    Yields:
        Path of an empty file in the same folder, with the same suffix. If the block succeeds, the file is flushed to
        the disk and then replaces `path`; if the block fails, it is removed and `path` stays unchanged.
    """
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}{path.suffix}")
    try:
        # O_EXCL also refuses a link of this name.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        # The file does not exist if it was moved or could not be created.
        with contextlib.suppress(OSError):
            temporary.unlink()


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


def _sync_folder(folder):
    """Flushes the names in a folder to the disk to survive a power cut; Windows has no call for this."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
