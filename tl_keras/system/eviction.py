"""Eviction of the least recently used files of a cache folder."""

import contextlib


def remove_least_recently_used(paths, has_room, is_in_use=lambda path: False):
    """Removes files, the least recently used first, until there is room.

    The modification time counts as the time of the last use, so readers must touch the files. Files that other
    processes remove meanwhile, or that cannot be removed, are passed over.

    Args:
        paths: iterable of the `Path`s that may be removed.
        has_room: function without arguments that returns True when enough was removed.
        is_in_use: function from a path to True if that file must stay.
    """
    last_uses = {}
    for path in paths:
        with contextlib.suppress(OSError):
            last_uses[path] = path.stat().st_mtime_ns
    for path in sorted(last_uses, key=last_uses.get):
        if has_room():
            return
        if not is_in_use(path):
            with contextlib.suppress(OSError):
                path.unlink()


def total_size(paths):
    """Computes the total size of files in bytes; missing files count as 0.

    Args:
        paths: iterable of `Path`s.

    Returns:
        int.
    """
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total
