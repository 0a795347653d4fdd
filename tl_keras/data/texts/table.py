"""Tables of texts: a text or two, a label and optionally a split per row."""

from tl_keras.data.data_errors import Faults
from tl_keras.data.labels import read_labels, read_splits
from tl_keras.data.reading.table_cells import read_columns
from tl_keras.data.records import Records
from tl_keras.data.texts.checks import check_texts


def read_text_table(
    table,
    *,
    text_column="text",
    second_text_column=None,
    label_column="label",
    split_column="split",
    multi_label=False,
    label_separator="|",
):
    """Reads a table of texts and labels.

    Args:
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_columns`.
        text_column: column of texts.
        second_text_column: column of the second text of each pair; None: no pairs.
        label_column: column of class names.
        split_column: column of split names (train, val, test, ... or empty). A table may lack the default column
            "split"; then every split is undecided.
        multi_label: True if a label cell holds any number of class names, also none, as a JSON list or joined by
            `label_separator`.
        label_separator: separator of the class names in a multi-label cell.

    Returns:
        `Records`; sources are str, or tuples of two; names are "line 7" or "row 7"; labels are int32 (n,), multi-label
        uint8 (n, num_classes).

    Raises:
        InputError: the file is not a readable table, or lacks columns; or one message reports all problems of texts,
            labels and splits, as in `check_texts`, `read_labels` and `read_splits`.
    """
    columns = {"data.label_column": label_column, "data.split_column": split_column}
    faults = Faults(f"The table {table}")
    places, texts, cells = read_text_columns(table, text_column, second_text_column, columns, faults)
    splits = read_splits(places, cells[split_column], faults)
    class_names, labels = read_labels(places, cells[label_column], faults, label_separator if multi_label else None)
    faults.raise_if_any()
    return Records(texts, list(places), labels, splits, class_names)


def read_text_columns(table, text_column, second_text_column, columns, faults):
    """Reads the texts of a table, and other columns.

    Args:
        table: path of the table, as in `read_columns`.
        text_column: column of texts.
        second_text_column: column of the second text of each pair; None: no pairs.
        columns: dict from flag to column of the other columns, as in `read_columns`.
        faults: `Faults` that collects texts that cannot be used.

    Returns:
        places: tuple of the place of each row.
        texts: list of str, or of tuples of two.
        cells: dict from column to the cells of each row.

    Raises:
        InputError: the file is not a readable table, or lacks columns.
    """
    columns = {"text.text_column": text_column} | columns
    if second_text_column is not None:
        columns["text.second_text_column"] = second_text_column
    places, cells = read_columns(table, columns)
    texts = cells[text_column]
    if second_text_column is not None:
        texts = list(zip(texts, cells[second_text_column], strict=True))
    check_texts(places, texts, faults)
    return places, texts, cells
