"""Merges labelled examples of a pool with labelled data into one table to train on."""

import os
import shlex
from pathlib import Path

from tl_keras import data
from tl_keras.config.config_text import reading_flags
from tl_keras.config.derived import derive
from tl_keras.errors import InputError, counted, quoted
from tl_keras.studies.labelled_files import read_labels
from tl_keras.studies.next_labels_files import name_example
from tl_keras.system.atomic_files import write_text
from tl_keras.system.json_files import format_line
from tl_keras.tasks.data_settings import table_columns
from tl_keras.tasks.registry import TASKS

NAME = "training.jsonl"
SHOWN = 5
"""Images that a note names."""


def merge_labelled(options, config, has_labels, folder):
    """Merges labels that people have given to examples of a pool with labelled data.

    Args:
        options: namespace of `labelled`, list of paths; `pool`, a path; `training_table`, a path or None; and
            `new_classes`, whether the labels may have classes that the data lack.
        config: `RunConfig`.
        has_labels: whether `data.path` holds labelled data.
        folder: `pathlib.Path` of the results.

    Returns:
        `RunConfig` whose data are the merged table.

    Raises:
        InputError: data, pool or labels cannot be used, see `read_labels` and `write_training_table`.
    """
    records = read_labelled_data(config) if has_labels else None
    pool = TASKS[config.task].find_pool(config, options.pool)
    class_names = None if records is None else records.class_names
    labels = read_labels(options.labelled, pool, config, class_names, options.new_classes)
    table = write_training_table(options.training_table, records, pool, labels, config, folder)
    return derive(config, data=derive(config.data, path=str(table)))


def read_labelled_data(config):
    """Reads the labelled data of a configuration.

    Args:
        config: `RunConfig`.

    Returns:
        `Records`; with `data.on_bad_file` skip, without the images that cannot be read, which a note names.

    Raises:
        InputError: the data cannot be used.
    """
    if "text" in config.task:
        return data.find_texts(config.data.path, table_columns(config))
    records = data.find_records(config.data.path, table_columns(config), on_bad_file=config.data.on_bad_file)
    return _without_bad_images(records) if config.data.on_bad_file == "skip" else records


def _without_bad_images(records):
    bad = data.find_bad_images(source for source in records.sources if isinstance(source, str))
    if not bad:
        return records
    shown = data.first_of([f"{data.printable(path)} ({reason})" for path, reason in bad.items()], SHOWN)
    print(f"note: {counted(len(bad), 'image')} left out of the table, which cannot be read: {shown}", flush=True)
    return records.take([row for row, source in enumerate(records.sources) if source not in bad])


def write_training_table(path, records, pool, labels, config, folder, may_replace=True):
    """Writes a table of labelled data and of the labelled examples of a pool.

    Args:
        path: path of the table, JSON lines; None takes training.jsonl, for images in the deepest folder that holds all
            of them, since a table may only name images below its own folder, for texts in `folder`.
        records: `Records` of the labelled data; None without any.
        pool: `Records` of the pool.
        labels: dict from rows of the pool to names of classes.
        config: `RunConfig`.
        folder: `pathlib.Path` of the results.
        may_replace: whether the table may take the place of the labelled data, which it contains.

    Returns:
        `pathlib.Path` of the table.

    Raises:
        InputError: the file exists, is not the labelled data, and has rows that the table lacks; it has another suffix;
            images are in no file or not below the folder of the table; or a label differs from that of the data.
    """
    is_text = "text" in config.task
    rows = _merge(records, pool, labels, config.data.path, is_text)
    if not is_text:
        _require_files(rows)
    path = Path(path or (folder if is_text else os.path.commonpath(map(os.path.dirname, rows))) / Path(NAME))
    if path.suffix != ".jsonl":
        raise InputError(f"--training_table {quoted(str(path))} is written as JSON lines: give it the suffix .jsonl.")
    columns = config.data.label_column, config.data.split_column
    lines = [
        name_example(config, None if is_text else _relative(source, path), source)
        | {column: cell for column, cell in zip(columns, row, strict=True) if cell}
        for source, row in rows.items()
    ]
    lines = list(map(format_line, lines))
    _check_path(path, lines, config.data.path if may_replace and records is not None else None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "".join(lines))
    except OSError as error:
        raise InputError(
            f"The table {quoted(str(path))} cannot be written ({error.strerror}): give --training_table another path."
        ) from error
    return path


def train_command(config, table):
    """Formats the shell command that trains on a table which `write_training_table` has written.

    Args:
        config: `RunConfig` of the data that were written.
        table: path of the table.
    """
    task = ["--task", config.task] if TASKS[config.task].takes_texts else []
    return f"python -m tl_keras.train {shlex.join([*task, str(table), *reading_flags(config)])}"


def _merge(records, pool, labels, location, is_text):
    """Returns a dict from the source of each labelled example to its class and split."""
    rows = {}
    if records is not None:
        names = [records.class_names[label] for label in records.labels]
        rows = dict(zip(_sources(records, is_text), zip(names, records.splits, strict=True), strict=True))
    split = "train" if any(split for _, split in rows.values()) else ""
    sources = _sources(pool, is_text)
    for row, label in labels.items():
        known, _ = rows.setdefault(sources[row], (label, split))
        if known != label:
            raise InputError(
                f"The example {quoted(pool.names[row])} is labelled {quoted(label)}, but {quoted(known)} in "
                f"{quoted(location)}: correct one."
            )
    return rows


def _sources(records, is_text):
    if is_text:
        return records.sources
    return [os.path.abspath(source) if isinstance(source, str) else source for source in records.sources]


def _require_files(rows):
    if any(isinstance(source, bytes) for source in rows):
        raise InputError("Images inside a Parquet table cannot be merged with others: write them to files.")


def _check_path(path, lines, data_path):
    """Refuses a file that would lose something, unless it is the labelled data, whose labels people have corrected."""
    if not path.exists() or (data_path is not None and path.resolve() == Path(data_path).resolve()):
        return
    kept = {line.encode() for line in lines}
    if not (path.is_file() and kept.issuperset(path.read_bytes().splitlines(keepends=True))):
        raise InputError(
            f"The file {quoted(str(path))} exists and holds other rows than the new table: give --training_table "
            "another path, or remove it."
        )


def _relative(source, path):
    relative = os.path.relpath(source, path.parent)
    if relative.startswith(os.pardir):
        raise InputError(
            f"--training_table {quoted(str(path))} does not lie above the image {quoted(source)}, and a table may only "
            "name images below its own folder: give it a path in a folder that holds all images."
        )
    return relative
