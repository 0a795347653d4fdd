"""Predictions of very many items as a folder of Parquet files, which the same command completes when interrupted."""

import hashlib
import importlib
import json
import re
from dataclasses import replace
from types import SimpleNamespace

from tqdm import tqdm

from tl_keras.data.reading.parquet_files import open_parquet, read_table
from tl_keras.errors import MAX_QUOTED, InputError, counted, first_line, quoted
from tl_keras.runs.opening import make_folder
from tl_keras.system.atomic_files import atomic_path
from tl_keras.system.checksums import file_sha256
from tl_keras.tasks.label_writers import as_json, item_cells, refuse_columns

ROWS = 4096
"""Items in a file."""
DIGEST = b"tl_keras.items"
PROBLEM = "problem"
"""Column of the reasons of unreadable files."""
MAX_COLUMNS = 10_000
"""Columns of a file; Arrow takes kilobytes for each."""


def parse_shard(text):
    """Reads which part of the items a process predicts.

    Args:
        text: "K/N", the K-th of N parts, from 1; None for all.

    Returns:
        Tuple of K and N.

    Raises:
        InputError: the text has another form, or K is out of range.
    """
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text or "1/1")
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"--shard {quoted(text)}: expected a number and a count, such as 3/16, from 1/16 to 16/16.")
    return int(match[1]), int(match[2])


def predict_parts(run, items, options, folder, shard, annotated=None):
    """Predicts items file by file; files that are already there are skipped.

    Args:
        run: `TrainedRun`.
        items: items of the shard, in an order that repeats.
        options: `PredictionOptions`.
        folder: path of the folder; several shards may share it.
        shard: what `parse_shard` returned.
        annotated: `AnnotatedImages` that also draws the predictions, or None.

    Returns:
        Number of items that could not be read; their rows have a `problem`.

    Raises:
        InputError: a file holds predictions of another run, other items or other settings, or the folder cannot be
            written to.
    """
    # A copy of the run may complete what the run has begun, another one may not.
    model = file_sha256(run.folder / "model.keras")
    settings = (model, options.top, options.min_confidence, options.score_threshold)
    parts, bad = missing_parts(items, _make_folder(folder), shard, settings)
    for path, part in tqdm(parts, disable=None, unit="file"):
        # Before anything is predicted, as their values may be such that Parquet cannot hold them.
        _make_table([_kept_cells(item) for item in part])
        if annotated:
            annotated.remove(part)
        rows = list(_rows(run, part, options, annotated))
        bad += sum(row[PROBLEM] is not None for row in rows)
        write_part(path, part, rows, settings)
    return bad


def missing_parts(items, folder, shard, settings):
    """Lists the files that are still to be written.

    Args:
        items: items of the shard.
        folder: `Path` of the folder.
        shard: what `parse_shard` returned.
        settings: what the predictions depend on beside the items.

    Returns:
        Tuple of a list of (path, items of the file), and the number of items in the other files that could not be read.

    Raises:
        InputError: a file is damaged, or holds predictions of another run, other items or other settings.
    """
    names = "shard-{:05d}-of-{:05d}-part-{:06d}.parquet"
    parts = {
        folder / names.format(*shard, start // ROWS): items[start : start + ROWS]
        for start in range(0, len(items), ROWS)
    }
    own, all_shards = (folder.glob(f"shard-{one}-part-*.parquet") for one in (f"{shard[0]:05d}-of-*", "*"))
    others = [path for path in all_shards if f"-of-{shard[1]:05d}-" not in path.name]
    # What an earlier call had more would be read as predictions of this one.
    if foreign := [*(path for path in own if path not in parts), *others]:
        raise _other(min(foreign))
    missing, bad = [], 0
    for path, part in parts.items():
        if not path.exists():
            missing.append((path, part))
            continue
        digest, problems = _read_part(path, len(part))
        if digest != _digest(part, settings):
            raise _other(path)
        bad += problems
    return missing, bad


def _other(path):
    return InputError(
        f"{str(path)!r} holds predictions of another run, other items or other settings: give --output a new folder."
    )


def _read_part(path, rows):
    """Reads the digest of the items of a file, all of whose data must be intact, and the number of its problems.

    The digest is None if the file has other rows.
    """
    arrow = importlib.import_module("pyarrow")
    try:
        if not path.is_file():
            raise ValueError("it is no plain file")
        with open_parquet(path) as file:
            if file.metadata.num_rows != rows:
                return None, 0
            # The data stand before the description of the file, which a disk may lose separately.
            table = read_table(file, path)
            table.validate(full=True)
            problems = rows - table[PROBLEM].null_count if PROBLEM in table.column_names else 0
            return (file.schema_arrow.metadata or {}).get(DIGEST), problems
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise InputError(
            f"Cannot read {str(path)!r} ({first_line(error)}): remove it, and its items are predicted again."
        ) from error


def write_part(path, items, rows, settings):
    """Writes a file of predictions, complete or not at all.

    Args:
        path: `Path` of the file.
        items: its items.
        rows: list of dict, one for each item; keys that a row lacks are null.
        settings: what they depend on beside the items.
    """
    parquet, table = importlib.import_module("pyarrow.parquet"), _make_table(rows)
    with atomic_path(path) as temporary:
        table = table.replace_schema_metadata({DIGEST: _digest(items, settings)})
        parquet.write_table(table, temporary, write_page_checksum=True)


def _rows(run, items, options, annotated):
    """Yields a dict for each item: what the JSON lines of the task have, and the problem of an unreadable file."""
    lines = []
    with run.task.open_writer(run, SimpleNamespace(write=lines.append), replace(options, format="jsonl")) as write:
        for item, prediction, problem in run.predict_items(items, options):
            if problem:
                yield _kept_cells(item) | {PROBLEM: problem}
            else:
                write(item, prediction)
                if annotated:
                    annotated.draw(item, prediction)
                yield json.loads(lines.pop()) | {PROBLEM: None}


def _kept_cells(item):
    """Returns the columns of an item as the JSON lines of its prediction have them."""
    cells = item_cells(item, "file")
    refuse_columns(cells, [PROBLEM])
    return json.loads(as_json(cells))


def _make_table(rows):
    """Converts dicts to a table of Arrow; keys that one lacks are null."""
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    keys = dict.fromkeys(key for row in rows for key in row)
    if len(keys) > MAX_COLUMNS:
        raise InputError(
            f"The table has {counted(len(keys), 'column')}, more than the {MAX_COLUMNS:,} that are written as Parquet: "
            "remove some, or give --format jsonl."
        )
    try:
        table = arrow.Table.from_pylist([_encodable(dict.fromkeys(keys) | row) for row in rows])
        parquet.write_table(table.slice(0, 0), arrow.BufferOutputStream())
    except (arrow.ArrowException, OverflowError, ValueError) as error:
        reason = first_line(error)[:MAX_QUOTED]
        raise InputError(
            f"The columns of the table cannot be written as Parquet ({reason}): give values of one kind to each, or "
            "--format jsonl."
        ) from error
    return table


def _encodable(value):
    """Escapes halves of characters in texts, as names of files may have them, which Parquet cannot hold."""
    if isinstance(value, dict):
        return {_encodable(key): _encodable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_encodable(part) for part in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _make_folder(folder):
    if folder is None:
        raise InputError("--format parquet writes several files: give --output a folder.")
    return make_folder(folder)


def _digest(items, settings):
    # The path of an image shows nothing of the columns that its table has beside it.
    shown = [(item, getattr(item, "cells", None)) for item in items]
    return hashlib.sha256(repr((shown, settings)).encode("utf-8", "surrogatepass")).hexdigest().encode()
