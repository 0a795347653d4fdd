import numpy as np
import pytest

from tl_keras.data import BoxRecords, Records, align_classes, find_class
from tl_keras.errors import InputError


def records(labels, class_names):
    rows = [str(number) for number in range(len(labels))]
    return Records(rows, rows, np.asarray(labels), ["test"] * len(rows), class_names)


def test_labels_are_renumbered():
    aligned = align_classes(records(np.array([0, 1, 1], np.int32), ("cat", "ant")), ("ant", "bee", "cat"))
    assert aligned.class_names == ("ant", "bee", "cat")
    np.testing.assert_array_equal(aligned.labels, [2, 0, 0])


def test_multi_hot_labels_are_renumbered():
    aligned = align_classes(records(np.array([[1, 0], [1, 1]], np.uint8), ("cat", "ant")), ("ant", "bee", "cat"))
    np.testing.assert_array_equal(aligned.labels, [[0, 0, 1], [1, 0, 1]])


def test_an_unknown_class_is_named_with_the_nearest():
    with pytest.raises(InputError, match="'cats': did you mean 'cat'"):
        align_classes(records(np.array([0], np.int32), ("cats",)), ("ant", "cat"))


def box_records(class_names):
    boxes = [np.array([[0, 0, 4, 4], [1, 1, 3, 3]], np.float32), np.zeros((0, 4), np.float32)]
    labels = [np.array([0, 1], np.int32), np.zeros(0, np.int32)]
    sizes = np.full((2, 2), 8, np.int32)
    return BoxRecords(["a", "b"], ["a", "b"], labels, ["test"] * 2, class_names, boxes=boxes, sizes=sizes)


def test_labels_of_boxes_are_renumbered():
    aligned = align_classes(box_records(("cat", "ant")), ("ant", "bee", "cat"))
    assert aligned.class_names == ("ant", "bee", "cat")
    assert [labels.tolist() for labels in aligned.labels] == [[2, 0], []]


def test_an_unknown_class_of_boxes_is_named():
    with pytest.raises(InputError, match="'cats': did you mean 'cat'"):
        align_classes(box_records(("cats", "ant")), ("ant", "cat"))


def test_equal_numbers_are_the_same_class():
    aligned = align_classes(records(np.array([0, 1], np.int32), ("2", "1.0")), ("1", "2.0", "x"))
    assert aligned.labels.tolist() == [1, 0]
    with pytest.raises(InputError, match="Unknown class in the data"):
        align_classes(records(np.array([0], np.int32), ("3",)), ("1", "2"))


@pytest.mark.parametrize(
    "known", ["\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u062e", r"\u200c".join(["\u0645\u06cc", "\u062e"])]
)
def test_other_joiners_are_the_same_class(known):
    given = "\u0645\u06cc\u200c\u062e"
    assert align_classes(records(np.array([0], np.int32), (given,)), ("ant", known)).labels.tolist() == [1]
    assert find_class(given, ("ant", known)) == 1 and find_class("\u0645", ("ant", known)) is None


def test_accents_in_another_encoding_are_the_same_class():
    aligned = align_classes(records(np.array([0], np.int32), ("caf\u00e9",)), ("ant", "cafe\u0301"))
    assert aligned.labels.tolist() == [1]
