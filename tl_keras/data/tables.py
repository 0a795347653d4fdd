"""Images listed in a table with a path and a label per row, and perhaps a split."""

import os

from tl_keras.data.labels import read_labels, read_splits
from tl_keras.data.listing import first_of
from tl_keras.data.records import Records
from tl_keras.data.table_cells import read_cells
from tl_keras.errors import InputError


def read_table(
    table,
    *,
    path_column="path",
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
):
    """Reads a table of image paths and labels.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_cells`.
        path_column: the column of image paths, relative to the folder of the table and inside it.
        label_column: the column of class names.
        split_column: the column of split names (train, val, test, ... or empty). A table without a column of the
            default name "split" is fine: every split is then undecided.
        multi_label: a label cell holds any number of class names, joined by `label_separator`; none is allowed.
        label_separator: as said.

    Returns:
        `Records`; labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: the file cannot be read as such a table, columns are missing, labels are empty, paths lead out of
            the folder or to files that are not there, or there are fewer than two classes (multi-label: one).
    """
    columns = {"data.path_column": path_column, "data.label_column": label_column, "data.split_column": split_column}
    places, rows = zip(*read_cells(table, columns), strict=True)
    splits = read_splits(table, places, [row.get(split_column, "") for row in rows])
    label_cells = [row.get(label_column, "") for row in rows]
    class_names, labels = read_labels(table, places, label_cells, label_separator if multi_label else None)
    names = [str(row.get(path_column, "")) for row in rows]
    return Records(_sources(table, places, names), names, labels, splits, class_names)


def _sources(table, places, names):
    """Returns the path of every image, after it was found to be inside the folder of the table and to be there."""
    # Compared as written, links unresolved: a data folder made of links to a store elsewhere is a common thing.
    root = os.path.abspath(os.path.dirname(table))
    paths = [os.path.normpath(os.path.join(root, name)) for name in names]
    problems = {"no path": [], "a path out of its folder": [], "a path without a file": []}
    for place, name, path in zip(places, names, paths, strict=True):
        if not name:
            problems["no path"].append(place)
        elif "\0" in path or not path.startswith(os.path.join(root, "")):
            problems["a path out of its folder"].append(f"{place}: {name}")
        elif not os.path.isfile(path):
            problems["a path without a file"].append(f"{place}: {name}")
    for problem, found in problems.items():
        if found:
            raise InputError(
                f"The table {table} has {problem} at {first_of(found)}: expected paths of image files, relative to "
                f"{root} and inside it."
            )
    return paths
