"""The digests of the files of a finished folder, in a list that `sha256sum --check SHA256SUMS` reads, too."""

import hashlib
import re
from pathlib import PurePosixPath

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import atomic_path

SUMS = "SHA256SUMS"
MAX_BYTES = 10_000_000


def write_checksums(folder, left_out=()):
    """Writes the digests of all files of a folder and below, itself and hidden files left out.

    Args:
        folder: `pathlib.Path` of the folder.
        left_out: names in the folder that are not listed.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    listed = [name for name in files if not name.startswith(".") and name.split("/")[0] not in (SUMS, *left_out)]
    with atomic_path(folder / SUMS) as temporary:
        temporary.write_text("".join(f"{_digest(folder / name)}  {name}\n" for name in listed), encoding="utf-8")


def find_changed(folder, vital=()):
    """Compares the files of a folder with its list.

    Args:
        folder: `pathlib.Path` of the folder; it has a list.
        vital: names in the folder that must be listed, where there are such files; others need not be.

    Returns:
        List of the names of files that have changed, are missing, or should be listed.

    Raises:
        InputError: the list is damaged, or names what is no file of the folder.
    """
    path = folder / SUMS
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"The list {str(path)!r} has more than {MAX_BYTES} bytes: is it really one?")
    changed, unlisted = [], {name for name in vital if (folder / name).exists()}
    for line in path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True):
        found = re.fullmatch(r"([0-9a-f]{64})  (.+)\n", line)
        if not found or not _lies_below(PurePosixPath(found[2])):
            raise InputError(f"The list {str(path)!r} is damaged: expected lines of a SHA-256 and the name of a file.")
        file = folder / found[2]
        if not file.is_file() or _is_link(folder, file) or _digest(file) != found[1]:
            changed.append(found[2])
        unlisted.discard(found[2])
    return [*changed, *sorted(unlisted)]


def _lies_below(name):
    return not name.is_absolute() and ".." not in name.parts


def _is_link(folder, file):
    return any(part.is_symlink() for part in (file, *file.parents) if folder in part.parents)


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
