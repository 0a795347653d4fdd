"""SHA-256 digests of files, and manifests of them that `sha256sum --check` reads."""

import hashlib
import os
import re
from pathlib import PurePosixPath

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import write_text
from tl_keras.system.budget import Budget, OverBudget
from tl_keras.system.stored.files import is_sparse

MANIFEST = "SHA256SUMS"
MAX_MANIFEST_BYTES = 10_000_000


def file_sha256(path):
    """Computes the SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_sha256(path, expected, advice):
    """Refuses a file that is missing or has another digest.

    Args:
        path: path of the file.
        expected: hexadecimal SHA-256, in upper or lower case.
        advice: end of the error message, which says how to fix it.

    Raises:
        InputError: the file is missing or has another digest.
    """
    if not os.path.isfile(path):
        raise InputError(f"The file {str(path)!r} is missing: {advice}.")
    if (digest := file_sha256(path)) != expected.lower():
        raise InputError(f"The file {str(path)!r} has SHA-256 {digest}, expected {expected}: {advice}.")


def manifest_line(path, name):
    """Formats the line of a manifest for a file: its digest and the name to list it under."""
    return f"{file_sha256(path)}  {name}\n"


def write_manifest(folder, exclude=()):
    """Writes the digests of all files of a folder and its subfolders, except the manifest and hidden files.

    Args:
        folder: `pathlib.Path` of the folder.
        exclude: names of files and subfolders of the folder that are not listed.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = [name for name in files if not name.startswith(".") and name.split("/")[0] not in (MANIFEST, *exclude)]
    write_text(folder / MANIFEST, "".join(manifest_line(folder / name, name) for name in names))


def changed_files(folder, essential=()):
    """Compares the files of a folder with its manifest.

    Args:
        folder: `pathlib.Path` of the folder, which has a manifest.
        essential: names of files that must be listed if they exist; other files need not be listed.

    Returns:
        List of the names of files that changed, are missing, or are essential and not listed.

    Raises:
        InputError: the manifest is damaged, too large, names a file twice or outside the folder, or its files are too
            many or too large.
    """
    try:
        return _changed_files(folder, essential, Budget())
    except OverBudget as error:
        raise InputError(f"Cannot check the folder {str(folder)!r} ({error}): give the folder of a run.") from error


def _changed_files(folder, essential, budget):
    changed, unlisted = [], {name for name in essential if (folder / name).exists()}
    for name, digest in _read_manifest(folder / MANIFEST, budget).items():
        file = folder / name
        unlisted.discard(name)
        if not os.path.isfile(file) or _is_link(folder, file) or is_sparse(file):
            changed.append(name)
            continue
        budget.read(file.stat().st_size)
        if file_sha256(file) != digest:
            changed.append(name)
    return [*changed, *sorted(unlisted)]


def _read_manifest(path, budget):
    """Reads a dict from the names of files to their digests."""
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise InputError(
            f"The manifest {str(path)!r} has more than {MAX_MANIFEST_BYTES} bytes: check that it is a manifest."
        )
    digests = {}
    for line in path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True):
        budget.visit()
        match = re.fullmatch(r"([0-9a-f]{64})  (.+)\n", line)
        if not match or not _is_below(PurePosixPath(match[2])) or match[2] in digests:
            raise InputError(
                f"The manifest {str(path)!r} is damaged: expected lines of a SHA-256 and the name of a file, each once."
            )
        digests[match[2]] = match[1]
    return digests


def _is_below(name):
    return not name.is_absolute() and ".." not in name.parts


def _is_link(folder, file):
    return any(part.is_symlink() for part in (file, *file.parents) if folder in part.parents)
