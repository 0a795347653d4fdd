import pytest

from tl_keras.data.reading.equal_columns import with_equal_columns
from tl_keras.errors import InputError


def test_all_rows_have_the_columns_of_all():
    rows = with_equal_columns([{"a": 1}, {"b": [2], "a": None}])
    assert rows == [{"a": 1, "b": None}, {"a": None, "b": [2]}]
    assert [list(row) for row in rows] == [["a", "b"]] * 2


def test_rows_of_which_each_has_columns_of_its_own_are_refused():
    rows = [{"path": "a.png", str(number): 1} for number in range(4000)]
    with pytest.raises(InputError, match="4,000 rows with 4,001 columns in all would be almost empty"):
        with_equal_columns(rows)
