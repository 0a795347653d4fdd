"""Checkpoint files: an archive of arrays, and a manifest with its SHA-256 that is written last.

A checkpoint is valid only with its manifest. `sha256sum --check` can read the manifests.
"""

import shutil

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import UNFINISHED, atomic_path, create_folder, write_text
from tl_keras.system.checksums import manifest_line
from tl_keras.system.stored.arrays import read_arrays
from tl_keras.system.stored.files import is_sparse, read_bytes

PATTERN = "[0-9]*.npz"
MAX_CHECKPOINTS = 2


def write_checkpoint(folder, epochs, steps, arrays):
    """Writes a checkpoint atomically and removes all but the newest two.

    Args:
        folder: `pathlib.Path` of the folder, created if missing.
        epochs: number of completed epochs.
        steps: number of completed steps of the next epoch.
        arrays: dict from name to array.

    Raises:
        OSError: the disk is full; the older checkpoints are unchanged.
    """
    create_folder(folder)
    path = folder / f"{epochs:05d}-{steps:09d}.npz"
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)
        manifest = manifest_line(temporary, path.name)
    write_text(_manifest_path(path), manifest)
    _remove_all_but_newest(path)


def read_checkpoints(folder):
    """Reads the checkpoints of a folder lazily, newest first.

    Args:
        folder: `pathlib.Path` of the folder; it may be missing.

    Yields:
        Tuple of the path and a dict from name to array; the dict is empty if the file is damaged.
    """
    for path in sorted(folder.glob(PATTERN), reverse=True):
        yield path, (read_arrays(path) or {}) if _is_intact(path) else {}


def check_space(folder, checkpoint, model):
    """Checks that the disk has room for the model and three checkpoints, one of them being written.

    Args:
        folder: `pathlib.Path` of the checkpoints' folder, which may not exist yet.
        checkpoint: bytes of the largest checkpoint.
        model: bytes of the model.

    Raises:
        InputError: the disk has less room.
    """
    used = sum(path.stat().st_size for path in folder.glob("*.npz"))
    free = shutil.disk_usage(folder.parent).free
    needed = (MAX_CHECKPOINTS + 1) * checkpoint + model
    if free + used < needed:
        raise InputError(
            f"The disk of {str(folder.parent)!r} has {(free + used) / 1e6:,.1f} MB for a run whose checkpoints and "
            f"model need {needed / 1e6:,.1f} MB: free some space, or give --run a folder elsewhere."
        )


def _is_intact(path):
    manifest = _manifest_path(path)
    if not manifest.is_file() or is_sparse(path):
        return False
    return read_bytes(manifest) == manifest_line(path, path.name).encode()


def _manifest_path(path):
    return path.with_suffix(".sha256")


def _remove_all_but_newest(newest):
    """Removes all but two checkpoints and the unfinished files of killed processes.

    Checkpoints of later steps are removed as well: a run resumes before them only if it could not read them.
    """
    folder = newest.parent
    candidates = [path for path in sorted(folder.glob(PATTERN)) if path.name <= newest.name]
    complete = [path for path in candidates if _manifest_path(path).is_file()]
    newest_names = {name for path in complete[-MAX_CHECKPOINTS:] for name in (path.name, _manifest_path(path).name)}
    # Manifests first: a checkpoint without one is invalid.
    for pattern in ("[0-9]*.sha256", PATTERN, f"{UNFINISHED}*"):
        for path in folder.glob(pattern):
            # No checkpoint is a folder.
            if path.name not in newest_names and not path.is_dir():
                path.unlink()
