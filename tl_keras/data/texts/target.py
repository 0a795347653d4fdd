"""Texts of a target domain, with labels, which only the report uses, or without."""

import os
from pathlib import Path

from tl_keras.data.data_errors import Faults
from tl_keras.data.examples.catalogue import TEXT_EXAMPLES
from tl_keras.data.reading.delimited import read_utf8
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, TABLE_SUFFIXES, has_column
from tl_keras.data.target_labels import align_target, make_unlabelled_records
from tl_keras.data.texts.find import find_texts
from tl_keras.data.texts.table import read_text_columns


def find_target_texts(path, class_names, columns=DEFAULT_COLUMNS, *, unknown_classes="error"):
    """Reads the texts of a target domain.

    Args:
        path: a .txt file with a text in each line, or a table without a column of labels, for texts without labels; or
            any path that `find_texts` accepts.
        class_names: the classes of the source.
        columns: `TableColumns` of a table, or keys of a data set of TensorFlow Datasets.
        unknown_classes: "error" or "drop", see `align_target`.

    Returns:
        `Records` with `class_names`; the label is `NO_LABEL` where a text has none, or none of these classes.

    Raises:
        InputError: there are no texts, or the source lacks their classes.
    """
    file = Path(path)
    is_file = str(path) not in TEXT_EXAMPLES and os.path.isfile(file)
    if is_file and file.suffix.lower() == ".txt":
        lines = [line.strip() for line in read_utf8(file).splitlines()]
        return make_unlabelled_records([line for line in lines if line], class_names, file)
    if is_file and file.suffix.lower() in TABLE_SUFFIXES and not has_column(file, "data.label_column", columns.label):
        faults = Faults(f"The table {file}")
        _, texts, _ = read_text_columns(file, columns, {}, faults)
        faults.raise_if_any()
        return make_unlabelled_records(texts, class_names, file)
    return align_target(find_texts(path, columns), class_names, unknown_classes)
