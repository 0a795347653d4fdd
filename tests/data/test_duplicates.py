import numpy as np

from tl_keras.data.duplicates import group_rows, refuse_duplicates
from tl_keras.data.records import Records


def test_rows_with_one_key_form_a_group():
    assert group_rows("abca", [3, 5, 7, 9]) == [[3, 9]]
    assert group_rows("", []) == []


def test_several_labels_conflict_if_any_differs():
    labels = np.array([[1, 0], [1, 0], [1, 1]], np.uint8)
    names = ["x", "y", "z"]
    records = Records(names, names, labels, ["train"] * 3, ("a", "b"))
    assert refuse_duplicates(records, [[0, 1]], "text") == ({}, 1)
    reasons, num_harmless = refuse_duplicates(records, [[0, 1, 2]], "text")
    assert num_harmless == 0 and reasons == {
        0: "the same text as z, which has another label",
        1: "the same text as z, which has another label",
        2: "the same text as x, which has another label",
    }
