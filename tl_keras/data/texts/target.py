"""Texts of a target domain, with labels, which only the report uses, or without."""

import os
from pathlib import Path

from tl_keras.data.data_errors import Faults
from tl_keras.data.examples.catalogue import TEXT_EXAMPLES
from tl_keras.data.reading.delimited import read_utf8
from tl_keras.data.reading.table_cells import TABLE_SUFFIXES, has_column
from tl_keras.data.target_labels import align_target, make_unlabelled_records
from tl_keras.data.texts.table import read_text_columns


def find_target_texts(
    path,
    class_names,
    read,
    *,
    text_column="text",
    second_text_column=None,
    label_column="label",
    unknown_classes="error",
):
    """Reads the texts of a target domain.

    Args:
        path: a .txt file with a text in each line, or a table without `label_column`, for texts without labels; or any
            path that `read` accepts.
        class_names: the classes of the source.
        read: function from a path to `Records` with labels, such as `find_texts`.
        text_column: column of the texts in a table without labels.
        second_text_column: column of the second text of each pair in a table without labels; None: no pairs.
        label_column: column whose presence shows that a table has labels.
        unknown_classes: "error" or "drop", see `align_target`.

    Returns:
        `Records` with `class_names`; the label is `NO_LABEL` where a text has none, or none of these classes.

    Raises:
        InputError: there are no texts, or the source lacks their classes.
    """
    file = Path(path)
    if str(path) in TEXT_EXAMPLES or not os.path.isfile(file):
        return align_target(read(path), class_names, unknown_classes)
    if file.suffix.lower() == ".txt":
        lines = [line.strip() for line in read_utf8(file).splitlines()]
        return make_unlabelled_records([line for line in lines if line], class_names, file)
    if file.suffix.lower() in TABLE_SUFFIXES and not has_column(file, "data.label_column", label_column):
        return _read_unlabelled_table(file, class_names, text_column, second_text_column)
    return align_target(read(path), class_names, unknown_classes)


def _read_unlabelled_table(table, class_names, text_column, second_text_column):
    faults = Faults(f"The table {table}")
    _, texts, _ = read_text_columns(table, text_column, second_text_column, {}, faults)
    faults.raise_if_any()
    return make_unlabelled_records(texts, class_names, table)
