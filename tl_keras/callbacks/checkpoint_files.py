"""The files of checkpoints: arrays, and beside them a manifest with their SHA-256 that is written last.

A checkpoint counts from the moment its manifest is there. `sha256sum --check` reads the manifests, too.
"""

import shutil
import zipfile

import numpy as np

from tl_keras.errors import InputError
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.checksums import manifest_line

PATTERN = "[0-9]*.npz"
KEPT = 2


def write_checkpoint(folder, epochs, steps, arrays):
    """Writes a checkpoint whole or not at all, and removes all but the newest two.

    Args:
        folder: `pathlib.Path` of the folder; it is made.
        epochs: how many epochs are done.
        steps: how many steps of the next one are done.
        arrays: dict from name to array.

    Raises:
        OSError: the disk takes no more; the older checkpoints are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{epochs:05d}-{steps:09d}.npz"
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)
        manifest = manifest_line(temporary, path.name)
    with atomic_path(_manifest_path(path)) as temporary:
        temporary.write_bytes(manifest.encode())
    _remove_all_but_newest(path)


def read_checkpoints(folder):
    """Reads the checkpoints of a folder, the newest first, each when it is asked for.

    Args:
        folder: `pathlib.Path` of the folder; it may be absent.

    Yields:
        Tuple of the path and a dict from name to array; the dict is empty where the file is not what was written.
    """
    for path in sorted(folder.glob(PATTERN), reverse=True):
        yield path, _read(path) if _is_intact(path) else {}


def check_space(folder, checkpoint, model):
    """Refuses a disk that the checkpoints of a run, one more while it is written, and its model will not fit on.

    Args:
        folder: `pathlib.Path` of the checkpoints' folder, which need not exist yet.
        checkpoint: bytes of the largest checkpoint.
        model: bytes of the model.

    Raises:
        InputError: there is less room than that.
    """
    taken = sum(path.stat().st_size for path in folder.glob("*.npz"))
    free = shutil.disk_usage(folder.parent).free
    needed = (KEPT + 1) * checkpoint + model
    if free + taken < needed:
        raise InputError(
            f"The disk of {str(folder.parent)!r} has {(free + taken) / 1e6:,.1f} MB for a run whose checkpoints and "
            f"model need {needed / 1e6:,.1f} MB: free some space, or give --run a folder elsewhere."
        )


def _is_intact(path):
    manifest = _manifest_path(path)
    return manifest.is_file() and manifest.read_bytes() == manifest_line(path, path.name).encode()


def _manifest_path(path):
    return path.with_suffix(".sha256")


def _read(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return {}


def _remove_all_but_newest(newest):
    """Keeps two, of which the newest was just written; what a kill has left half done goes, too.

    Those of later steps are no newer: a run goes on before them only where it could not read them.
    """
    folder = newest.parent
    written = [path for path in sorted(folder.glob(PATTERN)) if path.name <= newest.name]
    complete = [path for path in written if _manifest_path(path).is_file()]
    kept = {name for path in complete[-KEPT:] for name in (path.name, _manifest_path(path).name)}
    # The manifest first: without it the rest does not count.
    for pattern in ("[0-9]*.sha256", PATTERN, ".new-[0-9]*"):
        for path in folder.glob(pattern):
            if path.name not in kept:
                path.unlink()
