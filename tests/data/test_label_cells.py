import pytest

from tl_keras.data.data_errors import Faults
from tl_keras.data.label_cells import hold_zeros_and_ones, is_class_column, read_lists, split_names
from tl_keras.errors import InputError


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("['red', \"it's\"]", ["red", "it's"]),
        ("[-1, 2.5]", ["-1", "2.5"]),
        ("['a\\'b',]", ["a'b"]),
        ("[red, blue]", "[red, blue]"),
        ("[1]", ["1"]),
        ("(1)", "(1)"),
        ("(unknown)", "(unknown)"),
    ],
)
def test_lists_written_as_text(cell, expected):
    assert read_lists(["line 2"], [cell], Faults("t")) == [expected]


@pytest.mark.parametrize("cell", ["['red' 'green']", "[1 2 3]", "{'red': 1}", "['red', 'green'"])
def test_a_list_that_cannot_be_read_is_reported(cell):
    faults = Faults("The table t")
    read_lists(["line 2"], [cell], faults)
    with pytest.raises(InputError, match="a list that cannot be read at line 2"):
        faults.raise_if_any()


def test_a_long_cell_is_read_in_linear_time():
    cells = ["['" + "\\'" * 200_000, "[1" + " " * 100_000, "['a'" + ", 'a'" * 100_000]
    read_lists(["line"] * 3, cells, Faults("t"))


def test_names_are_split_and_stripped():
    assert split_names(" a | |b ", "|") == ["a", "b"]
    assert split_names("a|b", None) == ["a|b"]
    assert split_names(["a|b", ""], "|") == ["a|b"]


def test_zeros_and_ones():
    assert hold_zeros_and_ones([["0", "1"], "1|0", ""])
    assert not hold_zeros_and_ones([["0", "1"], ["1"]]) and not hold_zeros_and_ones(["0", "1"])
    assert not hold_zeros_and_ones([]) and not hold_zeros_and_ones(["", []])
    assert is_class_column(["0", 1, "true"]) and not is_class_column(["0", ""]) and not is_class_column([])
