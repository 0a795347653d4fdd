"""Paths in annotation files, which may come from another machine or system."""

import os
import re

_SEPARATORS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"^[A-Za-z]:")
MAX_PARTS = 16
"""Parts at the end of a path that are searched for; all ends of a path of a megabyte would take terabytes."""


def relative_names(name):
    """Lists the relative paths that a path in an annotation file may mean below the folder of its data.

    Args:
        name: str, with slashes or backslashes; relative, absolute, or with "..".

    Returns:
        List of str that never lead out of the folder: the path itself; or of one that does lead out, at most
        `MAX_PARTS` of its last parts, the longest first.
    """
    parts = [part for part in _SEPARATORS.split(_DRIVE.sub("", name)) if part not in ("", ".")]
    if not (os.path.isabs(name) or name.startswith("\\") or _DRIVE.match(name) or ".." in parts):
        return list(dict.fromkeys([name, "/".join(parts)]))
    start = len(parts) - parts[::-1].index("..") if ".." in parts else 0
    start = max(start, len(parts) - MAX_PARTS)
    return ["/".join(parts[first:]) for first in range(start, len(parts))]
