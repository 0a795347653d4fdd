"""Folders that --output names: each holds the results of one run, so that those of two are never mixed."""

import json
import os

from tl_keras.errors import InputError, quoted
from tl_keras.runs.opening import make_folder
from tl_keras.system.atomic_files import write_text
from tl_keras.system.checksums import file_sha256
from tl_keras.system.json_files import read_json

ORIGIN = "made_from.json"
"""What the results of a folder were made from; the same call may replace them, or complete them after it was killed."""


def claim_folder(path, run, names, content, call=()):
    """Creates a folder for results, or refuses one that holds those of another run or call.

    Args:
        path: path of the folder.
        run: `TrainedRun`.
        names: names of the files and folders that calls may write.
        content: what is written, such as "exports", for messages.
        call: texts and None, in a list, that the results depend on beside the model.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        InputError: it holds other results, or cannot be created.
    """
    folder = make_folder(path, content)
    origin = {"model": file_sha256(run.folder / "model.keras"), "call": list(call)}
    found = [name for name in names if os.path.lexists(folder / name)]
    known = folder / ORIGIN
    if found and not (known.exists() and read_json(known, dict, "give --output a new folder") == origin):
        raise InputError(
            f"--output {quoted(str(folder))} holds results of another run or call, such as {quoted(found[0])}: give a "
            "new folder, or empty this one."
        )
    write_text(known, json.dumps(origin, indent=2) + "\n")
    return folder
