"""Cache folder of the user, for files that several runs share."""

import os
from pathlib import Path

import platformdirs

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import new_folder


def user_cache():
    """Returns the path of the cache folder without creating it.

    Returns:
        `Path`: `tl_keras` in `XDG_CACHE_HOME` if that is set, on every system; else in the user's cache folder, on
        Linux `~/.cache`.
    """
    if parent := os.environ.get("XDG_CACHE_HOME"):
        return Path(parent) / "tl_keras"
    return platformdirs.user_cache_path("tl_keras", appauthor=False)


def cached_folder(name, fill):
    """Returns a folder of the cache; a missing one is created completely or not at all.

    Args:
        name: name of the folder.
        fill: function that takes the `Path` of a folder, creates it and writes its files.

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
            with new_folder(root) as temporary:
                fill(temporary / "files")
                os.rename(temporary / "files", folder)
        except OSError as error:
            # Another process may have created the folder in the meantime.
            if not folder.is_dir():
                raise InputError(
                    f"The files of {name} cannot be written to {str(root)!r} ({error}): free some space there, or set "
                    "XDG_CACHE_HOME to another folder."
                ) from error
    return folder
