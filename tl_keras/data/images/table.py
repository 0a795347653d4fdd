"""Images listed in a table with a path and a label per row, and perhaps a split."""

import os

from tl_keras.data.data_errors import Faults
from tl_keras.data.images.bad_files import add_bad_images
from tl_keras.data.labels import read_labels, read_splits
from tl_keras.data.reading.table_cells import read_cells
from tl_keras.data.records import Records
from tl_keras.data.wording import printable


def read_table(
    table,
    *,
    path_column="path",
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
    on_bad_file="error",
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
        on_bad_file: "error", or "skip" to leave files that are not there to whoever decodes the images.

    Returns:
        `Records`; labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: the file cannot be read as such a table, or columns are missing; or with everything else that is
            wrong with it: labels and splits, as in `read_labels` and `read_splits`, paths that are missing, that lead
            out of the folder, to files that are not there or to ones that cannot be read as images.
    """
    columns = {"data.path_column": path_column, "data.label_column": label_column, "data.split_column": split_column}
    places, rows = zip(*read_cells(table, columns), strict=True)
    faults = Faults(f"The table {table}")
    splits = read_splits(places, [row.get(split_column, "") for row in rows], faults)
    label_cells = [row.get(label_column, "") for row in rows]
    class_names, labels = read_labels(places, label_cells, faults, label_separator if multi_label else None)
    names = [str(row.get(path_column, "")) for row in rows]
    sources = _sources(table, places, names, on_bad_file, faults)
    if faults.places:
        add_bad_images(filter(os.path.isfile, sources), faults)
    faults.raise_if_any()
    return Records(sources, list(map(printable, names)), labels, splits, class_names)


def _sources(table, places, names, on_bad_file, faults):
    """Returns the path of every image; those that cannot be one become faults."""
    # Compared as written, links unresolved: a data folder made of links to a store elsewhere is a common thing.
    root = os.path.abspath(os.path.dirname(table))
    paths = [os.path.normpath(os.path.join(root, name)) for name in names]
    advice = f"expected paths of image files, relative to {root} and inside it"
    for place, name, path in zip(places, names, paths, strict=True):
        if not name:
            faults.add("no path", place, advice)
        elif "\0" in path or not path.startswith(os.path.join(root, "")):
            faults.add("a path out of its folder", f"{place} ({printable(name)})", advice)
        elif on_bad_file == "error" and not os.path.isfile(path):
            faults.add("a path without a file", f"{place} ({printable(name)})", advice)
    return paths
