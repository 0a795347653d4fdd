import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from tl_keras.data.reading.parquet_files import open_parquet, read_table

LONG = "x" * 10**6


def repeated(text, rows):
    """Returns a column whose text stands in the file once."""
    return pyarrow.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [text])


def read(path, table):
    parquet.write_table(table, path, compression="zstd")
    with open_parquet(path) as file:
        return read_table(file, path)


def test_rows_of_all_types_are_read(tmp_path):
    rows = [
        {"text": "a", "number": 1, "list": ["x", "y"], "image": {"bytes": b"\0", "path": "a.png"}, "none": None},
        {"text": None, "number": 2, "list": [], "image": None, "none": None},
    ]
    table = read(tmp_path / "x.parquet", pyarrow.Table.from_pylist(rows))
    assert table.to_pylist() == rows


def test_no_rows_are_no_error(tmp_path):
    table = read(tmp_path / "x.parquet", pyarrow.table({"a": pyarrow.array([], pyarrow.string())}))
    assert table.num_rows == 0 and table.column_names == ["a"]


def test_a_text_of_several_rows_takes_its_memory_once(tmp_path):
    table = read(tmp_path / "x.parquet", pyarrow.table({"text": repeated(LONG, 50)}))
    cells = table.to_pandas()["text"].astype(object)
    assert table.num_rows == 50 and table.nbytes < 10**7 and cells[0] == LONG and cells[0] is cells[49]


@pytest.mark.parametrize("kind", ["texts", "lists"])
def test_a_text_of_many_rows_is_refused_before_it_fills_the_memory(tmp_path, kind):
    texts = repeated(LONG, 5_000)
    lists = pyarrow.ListArray.from_arrays(np.arange(5_001, dtype=np.int32), texts)
    peak = pyarrow.default_memory_pool().max_memory()
    with pytest.raises(ValueError, match="it claims"):
        read(tmp_path / "x.parquet", pyarrow.table({"x": texts if kind == "texts" else lists}))
    assert pyarrow.default_memory_pool().max_memory() - peak < 10**9


@pytest.mark.parametrize(
    "table",
    [
        pyarrow.table({f"c{number}": repeated("x" * 10**7, 1) for number in range(9)}),
        pyarrow.table({"a": np.zeros(10**7, np.int8)}),
    ],
    ids=["long texts", "many rows"],
)
def test_a_file_that_claims_far_more_than_it_stores_is_refused(tmp_path, table):
    with pytest.raises(ValueError, match="it claims"):
        read(tmp_path / "x.parquet", table)


def test_a_flipped_byte_of_a_page_is_found(tmp_path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"a": np.arange(1000)}), path, write_page_checksum=True, compression="none")
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match="could not verify page"), open_parquet(path) as file:
        read_table(file, path)
