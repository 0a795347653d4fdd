import numpy as np
import pytest

from tl_keras.data.data_errors import Faults
from tl_keras.data.labels import read_label_columns, read_labels, read_splits, to_one_hot
from tl_keras.data.reading.table_cells import TableColumns
from tl_keras.errors import InputError

PLACES = ["line 2", "line 3", "line 4"]


def read(read_cells, *arguments):
    """Reads cells and raises the faults."""
    faults = Faults("The table t")
    result = read_cells(PLACES, arguments[0], faults, *arguments[1:])
    faults.raise_if_any()
    return result


def test_one_label_per_row():
    class_names, labels = read(read_labels, ["dog", "cat", "dog"])
    assert class_names == ("cat", "dog")
    assert labels.tolist() == [1, 0, 1] and labels.dtype == np.int32


def test_joiners_of_correct_spelling_stay_in_names():
    names = ("\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f469")
    assert read(read_labels, [*names, names[0]])[0] == names


def test_several_labels_per_row():
    class_names, labels = read(read_labels, ["a | b", ["b", "c|d"], ""], True)
    assert class_names == ("a", "b", "c|d")
    assert labels.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]] and labels.dtype == np.uint8


@pytest.mark.parametrize(
    ("cells", "multi_label", "message"),
    [
        (["a", "", ""], False, "no label at line 3, line 4"),
        (["a", "a", "a"], False, r"1 class \(a\) where 2 or more are expected: check --data.label_column"),
        (["a", ["b", "c"], "b"], False, "several labels at line 3: .*--data.multi_label"),
        (["", "", ""], True, r"0 classes \(no label\) where 1 or more are expected"),
        (["a", "NaN", "b"], False, "the label NaN, which stands for a missing value at line 3"),
        (["a|nan", "", "b"], True, "the label nan, which stands for a missing value at line 2"),
        (["a\nb", "c", "\ud800"], False, r"control or broken characters at line 2 \(a\\nb\), line 4 \(\\ud800\)"),
        (["Cat", "cat", "dog"], False, "labels that look alike at 'Cat' and 'cat'"),
        (["Caf\u00e9", "cafe\u0301", "dog"], False, "labels that look alike"),
        (["a cat", "a  cat", "dog"], False, "labels that look alike"),
        (["\u0645\u200c\u06cc", "\u0645\u06cc", "dog"], False, "labels that look alike"),
        (["\u200d", "cat", "dog"], False, "control or broken characters at line 2"),
    ],
)
def test_bad_labels(cells, multi_label, message):
    with pytest.raises(InputError, match=message):
        read(read_labels, cells, multi_label)


def test_all_problems_are_reported_in_one_message():
    with pytest.raises(
        InputError, match="no label at line 2; the label nan, .* at line 4: fill .*; several labels at line 3"
    ):
        read(read_labels, ["", ["x", "y"], "nan"])


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["red, green", "blue", "red"], ("blue", "green", "red")),
        (["['red', 'green']", '["blue"]', "red"], ("blue", "green", "red")),
        (["red", "('green',)", "{'blue', 'red'}"], ("blue", "green", "red")),
        (["[1, 20]", "[3]", "3"], ("1", "3", "20")),
        ([["red, dark"], "green", "blue"], ("blue", "green", "red, dark")),
    ],
)
def test_joined_labels_and_lists_as_text(cells, names):
    assert read(read_labels, cells, True, ",")[0] == names


@pytest.mark.parametrize(
    ("cells", "multi_label", "message"),
    [
        (
            ["red, green", "red", "blue"],
            True,
            r"joined by ',' and not by '\|' at line 2 \(red, green\): give .*separator \",",
        ),
        (["red;blue", "red", "blue"], True, "joined by ';'"),
        (["red green", "red", "green blue"], True, "joined by ' '"),
        (["red/green", "red", "green/blue"], True, "joined by '/'"),
        (["red|green", "blue, red", "blue"], True, "joined by ',' and not by '|' at line 3"),
        (
            ["red|green", "red", "green|blue"],
            False,
            r"several labels in one text at line 2 .*line 4 .*--data.multi_label",
        ),
        (["red, green", "red", "green"], False, r"several labels in one text at line 2 \(red, green\)"),
        (["['red' 'green']", "red", "blue"], False, "a list that cannot be read at line 2"),
        ([["0", "1", "0"], ["1", "0", "0"], ["0", "0", "1"]], True, "zeros and ones in place of class names"),
        (["0 1", "1 0", "1 1"], True, "zeros and ones in place of class names"),
        (["[0, 1]", "[1, 0]", "[1, 1]"], False, "zeros and ones in place of class names"),
    ],
)
def test_cells_of_several_labels_do_not_become_one_class(cells, multi_label, message):
    with pytest.raises(InputError, match=message):
        read(read_labels, cells, multi_label)


@pytest.mark.parametrize(
    ("cells", "multi_label"),
    [
        (["New York", "New Orleans", "Paris"], True),
        (["bread, white", "bread, brown", "milk"], False),
        (["ice", "cream", "ice cream"], False),
        (["[OTHER]", "(none)", "a|b"], False),
    ],
)
def test_names_with_separators_that_join_nothing_are_one_class(cells, multi_label):
    names = [cell for cell in cells if isinstance(cell, str)]
    assert set(read(read_labels, cells, multi_label)[0]) == set(names)


def test_equal_numbers_are_one_class_and_codes_with_zeros_are_not():
    class_names, labels = read(read_labels, ["1", "1.0", "2.50"])
    assert class_names == ("1", "2.5") and labels.tolist() == [0, 0, 1]
    assert read(read_labels, ["1.0", "2.0", "10.0"])[0] == ("1.0", "2.0", "10.0")
    for cells in (["1", "01", "2"], ["1", "1.0", "one"], ["1", "\uff11", "2"]):
        with pytest.raises(InputError, match="labels that look alike"):
            read(read_labels, cells)


def test_a_column_for_each_class():
    columns = TableColumns(label=("red", "blue"), multi_label=True)
    cells = {"red": ["1", "0", "true"], "blue": ["1", "0.0", ""]}
    class_names, labels = read_label_columns(PLACES, cells, columns, Faults("t"))
    assert class_names == ("blue", "red") and labels.tolist() == [[1, 1], [0, 0], [0, 1]]
    faults = Faults("The table t")
    read_label_columns(PLACES, cells | {"red": ["1", "0", "x" * 500]}, columns, faults)
    with pytest.raises(InputError, match="not 0 or 1 in the column of a class at line 4") as caught:
        faults.raise_if_any()
    assert "x" * 200 not in str(caught.value)


def test_single_letters_may_differ_in_case_only():
    assert read(read_labels, ["a", "A", "b"])[0] == ("A", "a", "b")


def test_labels_that_hardly_repeat_are_refused():
    cells, faults = [f"text {number}" for number in range(20)], Faults("The table t")
    read_labels([""] * 20, cells, faults)
    with pytest.raises(InputError, match="20 different labels in 20 rows"):
        faults.raise_if_any()


def test_splits():
    assert read(read_splits, ["Train", "val", ""]) == ["train", "validation", ""]


def test_all_unknown_splits_are_named():
    with pytest.raises(InputError, match=r"split at line 2 \('trian'\), line 4 \('tset'\): expected train"):
        read(read_splits, ["trian", "", "tset"])


def test_one_hot_and_multi_hot():
    np.testing.assert_array_equal(to_one_hot(np.array([2, 0], np.int32), 3), [[0, 0, 1], [1, 0, 0]])
    many = to_one_hot(np.array([[1, 1, 0]], np.uint8), 3)
    assert many.tolist() == [[1, 1, 0]] and many.dtype == np.float32


def test_accents_in_two_encodings_are_one_class():
    faults = Faults("The table t")
    names, labels = read_labels(("1", "2", "3"), ["caf\u00e9", "cafe\u0301", "dog"], faults)
    assert names == ("caf\u00e9", "dog") and labels.tolist() == [0, 0, 1] and not faults.places
