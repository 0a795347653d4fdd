"""Files of predictions of earlier calls of `predict`: the same run may replace one that nobody has changed since."""

import hashlib
import json
import os
from pathlib import Path

from tl_keras.cli.output_files import FORMATS, PARQUET
from tl_keras.errors import InputError, quoted
from tl_keras.runs.result_folders import run_origin
from tl_keras.system.atomic_files import write_text
from tl_keras.system.checksums import file_sha256
from tl_keras.system.json_files import read_json
from tl_keras.system.stored.files import is_sparse

MAX_NAME_BYTES = 255
"""Maximum length of the name of a file."""


def refuse_other_file(path, format, run):
    """Refuses an output that would replace anything but unchanged predictions of the same run.

    Args:
        path: path of the output; None writes no file.
        format: format that is written, such as "csv"; files of Parquet are checked when they are completed.
        run: `TrainedRun` that predicts.

    Raises:
        InputError: the output is a folder or such a file.
    """
    if path is None or format == PARQUET:
        return
    if path.endswith(os.sep) or os.path.isdir(path):
        suffix = next(suffix for suffix, known in FORMATS.items() if known == format)
        example = os.path.join(path, f"predictions{suffix}")
        raise InputError(f"--output {quoted(path)} is a folder: give a file in it, such as {quoted(example)}.")
    if os.path.isfile(path) and os.path.getsize(path) and (reason := _refusal(path, run)):
        raise InputError(f"--output {quoted(path)} {reason}: give another file, or remove this one.")


def record_file(path, run):
    """Records beside a file of predictions what it holds and which run made it.

    Args:
        path: path of the file; None, or one that is no plain file, has no effect.
        run: `TrainedRun` that predicted.
    """
    if path is not None and os.path.isfile(path):
        record = {"file": os.path.basename(path), "sha256": file_sha256(path)} | run_origin(run)
        write_text(record_path(path), json.dumps(record, indent=2) + "\n")


def record_path(path):
    """Returns the `pathlib.Path` of the record of a file, a hidden file beside it.

    Args:
        path: path of the file.
    """
    name = f".{os.path.basename(path)}.made_from.json"
    if len(os.fsencode(name)) > MAX_NAME_BYTES:
        name = f".{hashlib.sha256(os.fsencode(path)).hexdigest()}.made_from.json"
    return Path(path).with_name(name)


def _refusal(path, run):
    """Returns why a file may not be replaced, or None if it may."""
    record = record_path(path)
    if record.is_symlink() or not record.exists():
        return "exists, and no record beside it shows that `predict` wrote it"
    if is_sparse(path):
        return "consists almost only of holes"
    known = read_json(record, dict, "give --output another file")
    if known.get("sha256") != file_sha256(path):
        return "holds predictions that were changed since `predict` wrote them"
    return None if known.items() >= run_origin(run).items() else "holds predictions of another run"
