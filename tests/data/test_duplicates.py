from types import SimpleNamespace

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


def test_a_group_of_many_rows_is_compared_in_linear_time():
    class CountedLabels(list):
        reads = 0

        def __getitem__(self, row):
            CountedLabels.reads += 1
            return super().__getitem__(row)

    count = 2000
    records = SimpleNamespace(labels=CountedLabels([0] * count), names=["x"] * count, splits=["train"] * count)
    assert refuse_duplicates(records, [list(range(count))], "image") == ({}, count - 1)
    assert CountedLabels.reads <= 4 * count
