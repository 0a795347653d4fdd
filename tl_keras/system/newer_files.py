"""Finds a change below a folder by the times of its files, without reading them."""

import os


def find_newer(path, seconds, skip=None):
    """Finds a file or folder that changed after a time.

    The time of a folder changes when a file is added to it or removed, even one with an old time.

    Args:
        path: path of a file or folder; nothing is found below a path that does not exist, or below links to folders.
        seconds: time in seconds since the epoch.
        skip: path of a folder to leave out.

    Returns:
        Path of the first change, a str, or None.
    """
    skip = skip and os.path.realpath(skip)
    if os.path.isfile(path):
        return str(path) if _time(path) > seconds else None
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if os.path.realpath(os.path.join(folder, name)) != skip]
        for name in (*files, ""):
            place = os.path.join(folder, name).rstrip(os.sep)
            if _time(place) > seconds:
                return place
    return None


def _time(path):
    # A broken link or a file that has just been removed has no time.
    return os.stat(path).st_mtime if os.path.exists(path) else 0.0
