import pytest

from tl_keras import data
from tl_keras.errors import InputError


def test_texts_are_numbered_and_empty_ones_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\none,x\n,\ntwo,\n")
    records = data.find_pool_texts(tmp_path / "t.csv")
    assert records.sources == ["one", "two"] and records.names == ["1", "2"]


def test_missing_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        data.find_pool_texts(tmp_path / "none.txt")
