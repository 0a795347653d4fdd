"""Writes a corrected copy of labelled data after the decisions of a person."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tl_keras import data
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES, has_rows, read_rows
from tl_keras.errors import InputError, quoted, unknown_name
from tl_keras.studies.result_tables import DECISION
from tl_keras.studies.training_table import read_labelled_data, write_training_table
from tl_keras.system.escaping import by_cell, csv_cell

DROP = "drop"


def write_corrected(path, config, table, folder):
    """Writes the labelled data of a configuration with other labels, as JSON lines.

    Args:
        path: path of a table such as `label_check.csv`, whose column `decision` holds a class, "drop" or nothing.
        config: `RunConfig` of the data.
        table: path of the copy, or None, see `write_training_table`; the data themselves are never replaced.
        folder: `pathlib.Path` of the results.

    Returns:
        Tuple of the `pathlib.Path` of the copy and the numbers of changed and of dropped examples.

    Raises:
        InputError: the file or the copy cannot be used, or an example or class is unknown.
    """
    if Path(path).suffix.lower() not in TABLE_SUFFIXES:
        raise InputError(
            f"Cannot read decisions from {quoted(str(path))}: expected a table ({' '.join(sorted(TABLE_SUFFIXES))}), "
            "such as label_check.csv with a filled column decision."
        )
    if not has_rows(path):
        raise InputError(
            f"{path} lists no suspicious label: there is nothing to correct, and the data stay as they are."
        )
    if config.data.multi_label or not isinstance(config.data.label_column, str):
        raise InputError("--apply needs one label per example in one column, but the configuration asks for several.")
    records = read_labelled_data(config)
    rows = {name: row for row, name in enumerate(records.names)}
    rows |= {csv_cell(name): row for name, row in rows.items()}
    labels, dropped, classes = np.array(records.labels), [], by_cell(records.class_names)
    for place, _, cells in read_rows(path, {"column name": "name", "column decision": DECISION}):
        # JSON and Parquet may hold lists, which name nothing.
        name, given = str(cells["name"]), str(cells[DECISION])
        decision = classes.get(given, given)
        if decision and name not in rows:
            raise InputError(
                f"{path} ({place}): the data have no example {quoted(name)}: give those that were checked."
            )
        if decision == DROP and DROP not in records.class_names:
            dropped.append(rows[name])
        elif decision and (known := data.find_class(decision, records.class_names)) is not None:
            labels[rows[name]] = known
        elif decision:
            raise unknown_name(f"decision in {path} ({place})", decision, [*records.class_names, DROP])
    changed = int(np.sum(labels != records.labels))
    if not (changed or dropped):
        raise InputError(f"No decision found in {path}: fill the column {DECISION!r} with a class or with {DROP}.")
    kept = np.setdiff1d(np.arange(len(records)), dropped)
    corrected = replace(records, labels=labels).take(kept)
    nothing = data.Records([], [], np.zeros(0, int), [], records.class_names)
    return write_training_table(table, corrected, nothing, {}, config, folder, may_replace=False), changed, len(dropped)
