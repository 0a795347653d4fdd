"""Where tl_keras keeps what it has fetched or made, for other runs of the same user."""

import os
import tempfile
from pathlib import Path

from tl_keras.errors import InputError


def user_cache():
    """Finds the folder; nothing is made.

    Returns:
        `Path`: `tl_keras` under `XDG_CACHE_HOME` or `~/.cache`.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tl_keras"


def cached_folder(name, fill):
    """Finds a folder in the cache, or makes it: whole or not at all.

    Args:
        name: what the folder is called.
        fill: function that is given the `Path` of a folder to make and to fill.

    Returns:
        `Path` of the folder.

    Raises:
        InputError: the cache cannot be written.
    """
    root = user_cache()
    folder = root / name
    if not folder.is_dir():
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as temporary:
                fill(Path(temporary) / "files")
                _move(Path(temporary) / "files", folder)
        except OSError as error:
            raise InputError(
                f"The files of {name} cannot be kept in {str(root)!r} ({error}): make room there, or set "
                "XDG_CACHE_HOME to another folder."
            ) from error
    return folder


def _move(source, folder):
    try:
        os.rename(source, folder)
    except OSError:
        # Another process may have been faster.
        if not folder.is_dir():
            raise
