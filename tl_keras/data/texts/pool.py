"""Unlabelled texts: a table, a folder of .txt files, or a file with a text in each line."""

import numpy as np

from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS
from tl_keras.data.records import Records
from tl_keras.data.texts.text_items import find_text_items


def find_pool_texts(path, columns=DEFAULT_COLUMNS):
    """Reads texts without labels.

    Args:
        path: a table, a folder of .txt files, each of which is a text, or a file with a text in each line.
        columns: `TableColumns` with the columns of the texts.

    Returns:
        `Records` in the split "train", whose labels mean nothing, numbered from 1.

    Raises:
        InputError: there are no texts, or a file cannot be read.
    """
    texts = [item.text for item in find_text_items([str(path)], columns, are_files=True)]
    names = [str(number) for number in range(1, len(texts) + 1)]
    return Records(texts, names, np.zeros(len(texts), np.int32), ["train"] * len(texts), ("unlabelled",))
