"""Recognition of the files that earlier calls of `predict` wrote, which a later one may replace."""

import csv
import io
import json
import os
import re

from tl_keras.cli.output_files import FORMATS, PARQUET
from tl_keras.errors import InputError, quoted
from tl_keras.tasks.object_writers import BOX_COLUMNS

MAX_START = 1_000_000
"""Bytes of the start of a file that are read."""
LABEL_COLUMNS = {"label_1", "probability_1"}
COCO_START = '{"info": {"description": "detections of tl_keras"}, '
_TABLE_LINE = re.compile(r".*  (.*\d\.\d%|nothing|\d+ .+)")


def refuse_other_file(path, format):
    """Refuses an output that would replace a file which `predict` did not write in this format.

    Args:
        path: path of the output; None writes no file.
        format: format that is written, such as "csv"; files of Parquet are checked when they are completed.

    Raises:
        InputError: the output is a folder or such a file.
    """
    if path is None or format == PARQUET:
        return
    if path.endswith(os.sep) or os.path.isdir(path):
        suffix = next(suffix for suffix, known in FORMATS.items() if known == format)
        example = os.path.join(path, f"predictions{suffix}")
        raise InputError(f"--output {quoted(path)} is a folder: give a file in it, such as {quoted(example)}.")
    if os.path.isfile(path) and os.path.getsize(path) and not _RECOGNISED[format](_read_start(path)):
        raise InputError(
            f"--output {quoted(path)} exists and holds no predictions of this format: give another file, or remove it."
        )


def _read_start(path):
    """Returns the first lines of a file, without one that is cut."""
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        text = file.read(MAX_START)
        return text if not file.read(1) else text[: text.rfind("\n") + 1] or text


def _is_csv(text):
    try:
        header = next(csv.reader(io.StringIO(text)), [])
    except csv.Error:
        return False
    return tuple(header[-len(BOX_COLUMNS) :]) == BOX_COLUMNS or set(header) >= LABEL_COLUMNS


def _is_jsonl(text):
    try:
        row = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    if not isinstance(row, dict):
        return False
    name, key = ("objects", "score") if "objects" in row else ("labels", "probability")
    found = row.get(name)
    return isinstance(found, list) and all(isinstance(one, dict) and key in one for one in found)


def _is_coco(text):
    return text.startswith(COCO_START)


def _is_table(text):
    return all(_TABLE_LINE.fullmatch(line) for line in text.split("\n") if line)


_RECOGNISED = {"csv": _is_csv, "jsonl": _is_jsonl, "coco": _is_coco, "table": _is_table}
