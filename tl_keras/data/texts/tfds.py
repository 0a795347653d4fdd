"""Labelled texts of TensorFlow Datasets. Importing this module loads that library."""

from dataclasses import replace

import tensorflow_datasets as tfds

from tl_keras.data.reading.table_cells import DEFAULT_COLUMNS
from tl_keras.data.reading.tfds_source import feature_key, open_builder, read_records
from tl_keras.data.texts.checks import text_problem
from tl_keras.errors import counted


def read_texts(location, columns=DEFAULT_COLUMNS):
    """Reads the texts of a data set.

    Args:
        location: `Location` of the form "tfds" or "prepared", as in `open_builder`.
        columns: `TableColumns`, the keys of the texts and of the labels. A default may be absent if the data set has a
            single text feature, or a single class label.

    Returns:
        `Records` whose sources are str, or tuples of two. Texts that are empty or damaged are left out, with a note.

    Raises:
        InputError: as in `open_builder`, or a text or label feature is missing.
    """
    builder, name = open_builder(location)
    flags = {"text.text_column": columns.text, "text.second_text_column": columns.second_text}
    text_keys = [
        feature_key(builder, name, tfds.features.Text, column, "a text", flag)
        for flag, column in flags.items()
        if column is not None
    ]
    label_key = feature_key(
        builder, name, tfds.features.ClassLabel, columns.label, "a class label", "data.label_column"
    )
    records = read_records(builder, label_key, text_keys)
    sources = [_decoded(source) for source in records.sources]
    good = [row for row, source in enumerate(sources) if source is not None]
    left_out = len(sources) - len(good)
    note = f"Left out {left_out:,} of {counted(len(sources), 'text')} of {name}, for they are empty or damaged."
    return replace(replace(records, sources=sources).take(good), notes=(note,) if left_out else ())


def _decoded(source):
    """Returns a text, or a tuple of two, from its bytes; None if a text is empty or damaged."""
    try:
        texts = [part.decode("utf-8").strip() for part in (source if isinstance(source, tuple) else (source,))]
    except UnicodeDecodeError:
        return None
    if any(text_problem(text) for text in texts):
        return None
    return tuple(texts) if isinstance(source, tuple) else texts[0]
