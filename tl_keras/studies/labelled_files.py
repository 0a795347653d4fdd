"""Reads labels that people have given to examples of a pool: from tables and from exports of Label Studio."""

import difflib
from pathlib import Path

from tl_keras import data
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES, has_column, read_rows
from tl_keras.data.texts.duplicates import text_key
from tl_keras.data.wording import as_class_name, excerpt
from tl_keras.errors import MAX_QUOTED, InputError, quoted, unknown_name
from tl_keras.studies.next_labels_files import example_columns, name_example
from tl_keras.system.escaping import by_cell, csv_cell
from tl_keras.system.json_files import read_json

EXPORTED = "choice"
"""Column of the labels in tables that Label Studio exports."""
ADVICE = "export the project from Label Studio as JSON"


def read_labels(paths, records, config, class_names=None, new_classes=False):
    """Reads which label people have given to which example.

    Args:
        paths: list of paths: tables such as `next.csv` with filled labels, or `.json` exports of Label Studio.
        records: `Records` of the pool.
        config: `RunConfig`, for the columns.
        class_names: the known classes, also as a CSV file escapes them; None accepts all.
        new_classes: whether other classes are accepted beside them.

    Returns:
        Dict from the row in `records` to the name of the class; rows without a label are left out.

    Raises:
        InputError: a file cannot be read, has no label, an unknown example or class, several labels for an example, or
            two files disagree.
    """
    rows, labels, origins = _rows_by_key(records, config), {}, {}
    classes = by_cell(class_names or ())
    for path in map(Path, paths):
        found = _read_export(path, config) if path.suffix.lower() == ".json" else _read_table(path, config)
        for place, key, given in found:
            label = classes.get(given, given)
            if (known := data.find_class(label, class_names or ())) is not None:
                label = class_names[known]
            where = f"{path} ({place})"
            if key not in rows:
                raise _unknown_example(where, key, rows)
            if not (class_names is None or new_classes or label in class_names):
                error = unknown_name(f"class in {where}", label, class_names)
                raise InputError(f"{error} To add a class on purpose, give --new_classes.")
            row = rows[key]
            if labels.setdefault(row, label) != label:
                raise InputError(
                    f"{where} labels {quoted(excerpt(key))} {quoted(label)}, but {origins[row]} labels it "
                    f"{quoted(labels[row])}: correct one of them."
                )
            origins.setdefault(row, where)
    if not labels:
        raise InputError(f"No label found in {data.first_of(paths)}: fill the column {config.data.label_column!r}.")
    return labels


def _rows_by_key(records, config):
    """Returns a dict from what names an example to its row, also as a CSV file escapes it."""
    rows = {}
    for row, (name, source) in enumerate(zip(records.names, records.sources, strict=True)):
        cells = tuple(name_example(config, name, source).values())
        rows.setdefault(_key(cells), row)
        rows.setdefault(_key(tuple(map(csv_cell, cells))), row)
    return rows


def _key(cells):
    return "\n".join(map(text_key, cells))


def _read_table(path, config):
    """Yields (place, key, label) of the labelled rows of a table."""
    if not path.is_file() or path.suffix.lower() not in TABLE_SUFFIXES:
        raise InputError(
            f"Cannot read labels from {quoted(str(path))}: expected a table ({' '.join(sorted(TABLE_SUFFIXES))}), such "
            "as next.csv with filled labels, or a .json export of Label Studio."
        )
    flags = {f"column {name}": name for name in example_columns(config)}
    label = config.data.label_column
    if not has_column(path, "data.label_column", label) and has_column(path, "data.label_column", EXPORTED):
        label = EXPORTED
    for place, _, cells in read_rows(path, flags | {"data.label_column": label}):
        if name := cells.pop(label):
            if not isinstance(name, str):
                raise _several(f"{path} ({place})", name)
            # JSON and Parquet may hold lists, which name no example.
            yield place, _key(tuple(map(str, cells.values()))), as_class_name(name)


def _read_export(path, config):
    """Yields (place, key, label) of the annotated tasks of an export of Label Studio."""
    columns = example_columns(config)
    for number, task in enumerate(read_json(path, list, ADVICE), start=1):
        place = f"task {number}"
        shown = task.get("data") if isinstance(task, dict) else None
        if not isinstance(shown, dict) or not all(isinstance(shown.get(column), str) for column in columns):
            raise InputError(
                f"{place.capitalize()} of {path} has no text {columns[0]!r} in its data: import the label_studio.json "
                f"that `label next` wrote, and {ADVICE}."
            )
        choices = _choices(task)
        if len(choices) > 1:
            raise _several(f"{path} ({place})", sorted(choices))
        for choice in choices:
            yield place, _key(tuple(shown[column] for column in columns)), as_class_name(choice)


def _choices(task):
    """Returns the set of the classes that the annotations of a task, which a stranger may have made, choose."""
    annotations = task.get("annotations")
    kept = [one for one in annotations or () if isinstance(one, dict) and not one.get("was_cancelled")]
    results = [result for one in kept for result in one.get("result") or () if isinstance(result, dict)]
    values = [result.get("value") for result in results if result.get("type") == "choices"]
    lists = [value.get("choices") for value in values if isinstance(value, dict)]
    return {choice for chosen in lists if isinstance(chosen, list) for choice in chosen if isinstance(choice, str)}


def _several(where, names):
    return InputError(f"{where} has several labels, {data.first_of(names)}: expected one for each example.")


def _unknown_example(where, key, rows):
    near = difflib.get_close_matches(key[:MAX_QUOTED], [row for row in rows if len(row) <= MAX_QUOTED], n=1)
    hint = f" (did you mean {quoted(near[0])}?)" if near else ""
    return InputError(
        f"{where}: the pool has no example {quoted(excerpt(key))}{hint}: give the --pool that was labelled."
    )
