"""Tables of texts: a text or two, a label and optionally a split per row."""

from tl_keras.data.data_errors import Faults
from tl_keras.data.labels import read_label_columns, read_splits
from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS, read_columns
from tl_keras.data.records import Records
from tl_keras.data.texts.checks import check_texts


def read_text_table(table, columns=DEFAULT_COLUMNS):
    """Reads a table of texts and labels.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_columns`.
        columns: `TableColumns`.

    Returns:
        `Records`; sources are str, or tuples of two; names are "line 7" or "row 7"; labels are int32 (n,), multi-label
        uint8 (n, num_classes).

    Raises:
        InputError: the file is not a readable table, or lacks columns; or one message reports all problems of texts,
            labels and splits, as in `check_texts`, `read_labels` and `read_splits`.
    """
    faults = Faults(f"The table {table}")
    places, texts, cells = read_text_columns(table, columns, columns.label_flags, faults)
    splits = read_splits(places, cells[columns.split], faults)
    class_names, labels = read_label_columns(places, cells, columns, faults)
    faults.raise_if_any()
    return Records(texts, list(places), labels, splits, class_names)


def read_text_columns(table, columns, other_columns, faults):
    """Reads the texts of a table, and other columns.

    Args:
        table: path of the table, as in `read_columns`.
        columns: `TableColumns`, of which the columns of texts are read.
        other_columns: dict from flag to column of the other columns to read, as in `read_columns`.
        faults: `Faults` that collects texts that cannot be used.

    Returns:
        places: tuple of the place of each row.
        texts: list of str, or of tuples of two.
        cells: dict from column to the cells of each row.

    Raises:
        InputError: the file is not a readable table, or lacks columns.
    """
    flags = {"text.text_column": columns.text} | other_columns
    if columns.second_text is not None:
        flags["text.second_text_column"] = columns.second_text
    places, cells = read_columns(table, flags, faults=faults)
    texts = cells[columns.text]
    if columns.second_text is not None:
        texts = list(zip(texts, cells[columns.second_text], strict=True))
    check_texts(places, texts, faults)
    return places, texts, cells
