"""Tables of images: a path, a label and optionally a split per row."""

import os

from tl_keras.data.data_errors import Faults
from tl_keras.data.images.bad_files import add_bad_images
from tl_keras.data.labels import read_label_columns, read_splits
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, read_columns
from tl_keras.data.records import Records
from tl_keras.data.wording import excerpt, printable

MAX_PATH_BYTES = 4096
"""Bytes of the longest path that a system takes; to follow one of millions of parts would take hours."""


def read_table(table, columns=DEFAULT_COLUMNS, *, on_bad_file="error"):
    """Reads a table of image paths and labels.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_columns`. In Parquet, the column of paths may
            hold the images themselves, as bytes or as {bytes, path}.
        columns: `TableColumns`.
        on_bad_file: "error", or "skip" to leave missing files to the decoder of the images.

    Returns:
        `Records`; labels are int32 (n,), multi-label uint8 (n, num_classes).

    Raises:
        InputError: the file is not a readable table, or lacks columns; or one message reports all problems of labels
            and splits, as in `read_labels` and `read_splits`, and of paths that are missing, lead out of the folder, to
            missing files or to files that are not readable images.
    """
    flags = {"data.path_column": columns.path} | columns.label_flags
    faults = Faults(f"The table {table}")
    places, cells = read_columns(table, flags, columns.path, faults)
    splits = read_splits(places, cells[columns.split], faults)
    class_names, labels = read_label_columns(places, cells, columns, faults)
    images = [cell if isinstance(cell, bytes) else str(cell) for cell in cells[columns.path]]
    sources = list_sources(table, places, images, on_bad_file, faults)
    if faults.places:
        add_bad_images((path for path in sources if isinstance(path, str) and os.path.isfile(path)), faults)
    faults.raise_if_any()
    names = [
        place if isinstance(image, bytes) else printable(image) for place, image in zip(places, images, strict=True)
    ]
    return Records(sources, names, labels, splits, class_names)


def join_path(table, name):
    """Joins a path from a table with the folder of the table.

    Args:
        table: path of the table.
        name: the path as the table has it, str.

    Returns:
        path: absolute path of the image, str.
        problem: "no path", "a path out of its folder" or "a path that no file can have"; None if it is fine.
    """
    # Links are not resolved: data folders often consist of links to files elsewhere.
    root = os.path.abspath(os.path.dirname(table))
    path = os.path.normpath(os.path.join(root, name))
    if "\\" in name and not os.path.isfile(path):
        # Tables from Windows.
        path = os.path.normpath(os.path.join(root, name.replace("\\", "/")))
    if not name:
        return path, "no path"
    if not _is_possible(path):
        return path, "a path that no file can have"
    return path, None if path.startswith(os.path.join(root, "")) else "a path out of its folder"


def list_sources(table, places, images, on_bad_file, faults):
    """Lists the path of every image of a table, or the encoded image itself.

    Args:
        table: path of the table.
        places: place of each row, such as "line 7".
        images: path as the table has it, str, or encoded image, bytes, of each row.
        on_bad_file: "error", or "skip" to leave missing files to the decoder of the images.
        faults: `Faults` that collects invalid paths.

    Returns:
        List of str or bytes, without the invalid paths, which nobody may open.
    """
    advice = f"expected paths of image files, relative to {os.path.abspath(os.path.dirname(table))} and inside it"
    sources = []
    for place, name in zip(places, images, strict=True):
        if isinstance(name, bytes):
            sources.append(name)
            continue
        path, problem = join_path(table, name)
        if not problem and on_bad_file == "error" and not os.path.isfile(path):
            problem = "a path without a file"
        if problem:
            faults.add(problem, f"{place} ({excerpt(name)})" if name else place, advice)
        else:
            sources.append(path)
    return sources


def _is_possible(path):
    """Returns whether a file can have a path; JSON may hold halves of characters, which no system takes."""
    try:
        return "\0" not in path and len(os.fsencode(path)) <= MAX_PATH_BYTES
    except UnicodeEncodeError:
        return False
