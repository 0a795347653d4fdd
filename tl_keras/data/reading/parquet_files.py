"""Reading of Parquet files that others may have made, without more memory than they are worth.

A value that many rows share may stand in the file once, however long it is: 2 kB can hold 40 GB of texts.
"""

import contextlib
import importlib
import os

from tl_keras.errors import counted
from tl_keras.system.stored.files import FREE_BYTES, is_excessive

BYTES_PER_CELL = 8
TEXT_TYPES = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")


@contextlib.contextmanager
def open_parquet(path):
    """Opens a Parquet file whose rows fit its size; equal texts of a column share their memory.

    Args:
        path: path of the file.

    Yields:
        `pyarrow.parquet.ParquetFile`, which compares the checksums of pages where the file has some.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or claims far more than it stores.
    """
    parquet = importlib.import_module("pyarrow.parquet")
    with parquet.ParquetFile(path) as file:
        _check_size(_claimed_bytes(file.metadata), path)
        columns = [file.schema.column(number) for number in range(len(file.schema))]
        # Arrow shares texts of columns without parts only.
        texts = [column.path for column in columns if _is_text(column.physical_type) and "." not in column.path]
    with parquet.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
        yield file


def read_table(file, path):
    """Reads all rows of a file that `open_parquet` opened.

    Args:
        file: `pyarrow.parquet.ParquetFile`.
        path: path of the file.

    Returns:
        `pyarrow.Table`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or its values take far more bytes than it stores.
    """
    arrow = importlib.import_module("pyarrow")
    batches, size = [], 0
    for batch in file.iter_batches(_rows_at_once(file.metadata)):
        size += sum(map(_unpacked_bytes, batch.columns))
        _check_size(size, path)
        batches.append(batch)
    return arrow.Table.from_batches(batches, file.schema_arrow if not batches else None)


def _claimed_bytes(metadata):
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    cells = metadata.num_rows * metadata.num_columns
    return sum(group.total_byte_size for group in groups) + BYTES_PER_CELL * cells


def _rows_at_once(metadata):
    """Returns the number of rows that take at most `FREE_BYTES`, even if each has the longest text of a list."""
    longest = max((chunk.total_uncompressed_size for chunk in _shared_texts(metadata)), default=0)
    return max(1, FREE_BYTES // longest if longest else metadata.num_rows)


def _shared_texts(metadata):
    """Yields the parts of columns whose values may stand in the file once for many rows."""
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(group.num_columns)):
            if _is_text(chunk.physical_type) and "." in chunk.path_in_schema and chunk.has_dictionary_page:
                yield chunk


def _unpacked_bytes(column):
    """Returns the bytes of all values of a column, also of those that share their memory."""
    compute = importlib.import_module("pyarrow.compute")
    if not hasattr(column, "dictionary"):
        return column.nbytes
    return compute.sum(compute.binary_length(column.dictionary).take(column.indices)).as_py() or 0


def _is_text(physical_type):
    return physical_type in TEXT_TYPES


def _check_size(claimed, path):
    stored = os.path.getsize(path)
    if is_excessive(claimed, stored):
        raise ValueError(f"it claims {counted(claimed, 'byte')}, of which it holds {stored:,}")
