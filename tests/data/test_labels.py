import numpy as np
import pytest

from tl_keras.data.labels import hot_labels, read_labels, read_splits
from tl_keras.errors import InputError

PLACES = ["line 2", "line 3", "line 4"]


def test_one_label_each():
    class_names, labels = read_labels("t", PLACES, ["dog", "cat", "dog"])
    assert class_names == ("cat", "dog")
    assert labels.tolist() == [1, 0, 1] and labels.dtype == np.int32


def test_several_labels_each():
    class_names, labels = read_labels("t", PLACES, ["a | b", ["b", "c|d"], ""], "|")
    assert class_names == ("a", "b", "c|d")
    assert labels.tolist() == [[1, 1, 0], [0, 1, 1], [0, 0, 0]] and labels.dtype == np.uint8


@pytest.mark.parametrize(
    ("cells", "separator", "message"),
    [
        (["a", "", ""], None, "no label at line 3; line 4"),
        (["a", "a", "a"], None, r"1 class \(a\): expected 2 or more"),
        (["a", ["b", "c"], "b"], None, "several labels at line 3: .*--data.multi_label"),
        (["", "", ""], "|", r"0 classes \(no label\): expected 1 or more"),
    ],
)
def test_bad_labels(cells, separator, message):
    with pytest.raises(InputError, match=message):
        read_labels("t", PLACES, cells, separator)


def test_a_column_that_names_no_classes():
    cells = [f"text {number}" for number in range(20)]
    with pytest.raises(InputError, match="20 different labels in 20 rows"):
        read_labels("t", [""] * 20, cells)


def test_splits():
    assert read_splits("t", PLACES, ["Train", "val", ""]) == ["train", "validation", ""]


def test_all_unknown_splits_are_named():
    with pytest.raises(InputError, match="the split 'trian' at line 2; 'tset' at line 4: expected train"):
        read_splits("t", PLACES, ["trian", "", "tset"])


def test_hot_labels():
    np.testing.assert_array_equal(hot_labels(np.array([2, 0], np.int32), 3), [[0, 0, 1], [1, 0, 0]])
    many = hot_labels(np.array([[1, 1, 0]], np.uint8), 3)
    assert many.tolist() == [[1, 1, 0]] and many.dtype == np.float32
