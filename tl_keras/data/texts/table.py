"""Texts in a table, with a text or two and a label per row, and perhaps a split."""

from tl_keras.data.data_errors import Faults
from tl_keras.data.labels import read_labels, read_splits
from tl_keras.data.reading.table_cells import read_cells
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
        table: path of a .csv, .tsv, .jsonl or .parquet file, as in `read_cells`.
        text_column: the column of texts.
        second_text_column: the column of the second text of each pair; None: no pairs.
        label_column: the column of class names.
        split_column: the column of split names (train, val, test, ... or empty). A table without a column of the
            default name "split" is fine: every split is then undecided.
        multi_label: a label cell holds any number of class names, joined by `label_separator` or as a JSON list; none
            is allowed.
        label_separator: as said.

    Returns:
        `Records`; sources are str, or tuples of two; names are "line 7" or "row 7"; labels are int32 (n,), multi-label
        uint8 (n, num_classes).

    Raises:
        InputError: the file cannot be read as such a table, or columns are missing; or with everything that is wrong
            with its texts, labels and splits, as in `check_texts`, `read_labels` and `read_splits`.
    """
    columns = {"text.text_column": text_column, "data.label_column": label_column, "data.split_column": split_column}
    if second_text_column is not None:
        columns["text.second_text_column"] = second_text_column
    places, rows = zip(*read_cells(table, columns), strict=True)
    texts = [row.get(text_column, "") for row in rows]
    if second_text_column is not None:
        texts = [(text, row.get(second_text_column, "")) for text, row in zip(texts, rows, strict=True)]
    faults = Faults(f"The table {table}")
    check_texts(places, texts, faults)
    splits = read_splits(places, [row.get(split_column, "") for row in rows], faults)
    label_cells = [row.get(label_column, "") for row in rows]
    class_names, labels = read_labels(places, label_cells, faults, label_separator if multi_label else None)
    faults.raise_if_any()
    return Records(texts, list(places), labels, splits, class_names)
