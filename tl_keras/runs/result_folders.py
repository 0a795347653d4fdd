"""Folders that --output names: each holds the results of one call of one verb, so that those of two are never mixed."""

import contextlib
import json
import os
from pathlib import Path

from tl_keras.errors import InputError, quoted
from tl_keras.runs.opening import make_folder
from tl_keras.system.atomic_files import UNFINISHED, write_text
from tl_keras.system.checksums import file_sha256
from tl_keras.system.json_files import read_json
from tl_keras.system.links import refuse_link
from tl_keras.system.stored.files import is_sparse

ORIGIN = "made_from.json"
"""What the results of a folder were made from; the same call may replace them, or complete them after it was killed."""
FILES = "files"
"""Key in it of the digests of the results, which are replaced only as long as nobody has changed them."""


def run_origin(run, call=()):
    """Describes results of a run for `claim_folder`; a copy of the run gives the same.

    Args:
        run: `TrainedRun`.
        call: texts and None, in a list, that the results depend on beside the model.

    Returns:
        Dict.
    """
    return {"model": file_sha256(run.folder / "model.keras"), "call": list(call)}


def data_origin(verb, path):
    """Describes results of a verb on data for `claim_folder`.

    Args:
        verb: str, such as "label check".
        path: path of the data.

    Returns:
        Dict.
    """
    return {"verb": verb, "data": os.path.abspath(path)}


def claim_folder(path, origin, names, content="", flag="--output"):
    """Creates a folder for results, or refuses one that holds other files of their names.

    Args:
        path: path of the folder.
        origin: dict of what the results are made from; results of the same origin may be replaced.
        names: names of the files and folders that calls may write, or patterns such as "*.png".
        content: what is written, such as "exports", for messages.
        flag: flag that names the folder.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        InputError: it holds other results or files, or a link, a pipe or a file of holes under one of their names, or
            cannot be created.
    """
    folder = make_folder(path, content, flag)
    found = _list_found(folder, names)
    for name in (ORIGIN, *found):
        # Its digest is that of a file elsewhere, or never ends.
        refuse_link(folder / name)
    if found:
        place, way = f"{flag} {quoted(str(folder))}", "give a new folder, or empty this one"
        known = read_json(folder / ORIGIN, dict, f"give {flag} a new folder") if (folder / ORIGIN).exists() else {}
        digests = known.pop(FILES, None)
        if known != origin or not isinstance(digests, dict | None):
            raise InputError(f"{place} holds results of another run or call, such as {quoted(found[0])}: {way}.")
        # A killed call has recorded none.
        changed = [name for name in found if digests is not None and digests.get(name) != _digest(folder / name)]
        if changed:
            raise InputError(f"{place} holds {quoted(changed[0])}, which was changed since it was written: {way}.")
    _write_origin(folder, origin)
    return folder


def record_results(folder, names):
    """Records the results of a finished call, so that a later one does not replace edited ones.

    Args:
        folder: `pathlib.Path` that `claim_folder` returned.
        names: as in `claim_folder`.
    """
    origin = read_json(folder / ORIGIN, dict, "repeat the command")
    digests = {name: _digest(folder / name) for name in _list_found(folder, names)}
    _write_origin(folder, origin | {FILES: digests})


def _write_origin(folder, origin):
    write_text(folder / ORIGIN, json.dumps(origin, indent=2) + "\n")


def _list_found(folder, names):
    return [name for pattern in names for name in _matching(folder, pattern)]


def _digest(path):
    """Returns the SHA-256 of a file, or a text that depends on all files of a folder."""
    if not path.is_dir():
        return _file_digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return " ".join(f"{file.relative_to(path)}:{_file_digest(file)}" for file in files)


def _file_digest(path):
    if is_sparse(path):
        raise InputError(f"{quoted(str(path))} consists almost only of holes: remove it.")
    return file_sha256(path)


@contextlib.contextmanager
def open_output_folder(path, origin, names):
    """Creates a folder of results, as `claim_folder` does, and removes it again if it stays empty.

    Args:
        path: as in `claim_folder`.
        origin: as in `claim_folder`.
        names: as in `claim_folder`.

    Yields:
        `pathlib.Path` of the folder.

    Raises:
        InputError: as in `claim_folder`.
    """
    folder = Path(path)
    new_folders = [one for one in (folder, *folder.parents) if not os.path.exists(one)]
    claim_folder(folder, origin, names)
    try:
        yield folder
    finally:
        # After an error, too: what is there was made by this call, or was unchanged when it began.
        record_results(folder, names)
        with contextlib.suppress(OSError):
            if os.listdir(folder) == [ORIGIN]:
                os.unlink(folder / ORIGIN)
            # A folder with results is not empty; it and its parents stay.
            for one in new_folders:
                one.rmdir()


def _matching(folder, pattern):
    if "*" not in pattern:
        return [pattern] if os.path.lexists(folder / pattern) else []
    # A killed call leaves unfinished files behind.
    return sorted(path.name for path in folder.glob(pattern) if not path.name.startswith(UNFINISHED))
