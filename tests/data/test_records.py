import numpy as np
import pytest

from tl_keras.data.records import Records, sorted_class_names, split_of_name


def test_rows_and_take():
    labels = np.array([0, 1, 0], np.int32)
    records = Records(["a", "b", "c"], ["A", "B", "C"], labels, ["train", "", "train"], ("x", "y"))
    assert records.rows("train").tolist() == [0, 2] and records.rows("test").tolist() == []
    taken = records.take(np.array([2, 1]))
    assert (taken.sources, taken.names, taken.splits) == (["c", "b"], ["C", "B"], ["train", ""])
    assert taken.labels.tolist() == [0, 1] and taken.class_names == ("x", "y") and len(taken) == 2


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), (" Training ", "train"), ("VAL", "validation"), ("dev", "validation"), ("testing", "test")],
)
def test_split_names(name, split):
    assert split_of_name(name) == split


def test_other_names_stand_for_no_split():
    assert split_of_name("trial") is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["b", "a", "b"], ("a", "b")), (["10", "9", "09"], ("09", "9", "10")), (["10", "9", "x"], ("10", "9", "x"))],
)
def test_sorted_class_names(names, expected):
    assert sorted_class_names(names) == expected
