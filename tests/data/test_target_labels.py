import numpy as np
import pytest

from tl_keras import data
from tl_keras.data.records import Records
from tl_keras.data.target_labels import align_target, make_unlabelled_records
from tl_keras.errors import InputError

CLASSES = ("cat", "dog", "owl")


def records_of(class_names, count):
    """Records with `count` examples of each class."""
    labels = np.repeat(np.arange(len(class_names), dtype=np.int32), count)
    names = [f"{class_names[label]}/{row}" for row, label in enumerate(labels)]
    return Records(names, names, labels, [""] * len(labels), tuple(class_names))


def test_records_without_labels():
    records = make_unlabelled_records(["a", "b"], CLASSES, "x")
    assert records.labels.tolist() == [-1, -1] and records.names == ["1", "2"] and records.class_names == CLASSES


def test_no_examples_are_refused():
    with pytest.raises(InputError, match="Nothing to adapt to in x: expected images, or a text in each line"):
        make_unlabelled_records([], CLASSES, "x")


def test_labels_are_renumbered_by_the_names_of_the_source():
    records = align_target(records_of(("cat", "owl"), 2), CLASSES, "error")
    assert records.labels.tolist() == [0, 0, 2, 2] and records.class_names == CLASSES
    assert records.notes == ("The target has no example of dog.",)


def test_a_class_written_in_another_way_is_that_of_the_source():
    records = align_target(records_of(("cafe\u0301", "owl"), 1), ("caf\u00e9", "owl"), "error")
    assert records.labels.tolist() == [0, 1] and not records.notes


def test_a_class_that_the_source_lacks_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="'dogs'.*did you mean 'dog'.*--adaptation.unknown_classes drop"):
        align_target(records_of(("cat", "dogs", "owl"), 4), CLASSES, "error")


def test_a_dropped_class_is_adapted_to_and_left_out_of_the_report():
    records = align_target(records_of(("cat", "dog", "emu", "owl"), 4), CLASSES, "drop")
    assert (records.labels == -1).sum() == 4 and "emu is unknown" in records.notes[0]
    hidden = data.hide_labels(records, 0.5, seed=0)
    tested = hidden.rows("test")
    assert len(tested) and all("emu" not in hidden.names[row] for row in tested)
    assert len(hidden) == 16


@pytest.mark.parametrize("unknown_classes", ["error", "drop"])
def test_a_target_without_any_class_of_the_source_is_refused(unknown_classes):
    with pytest.raises(InputError, match="None of the target's classes .emu; yak. is one of the source's"):
        align_target(records_of(("emu", "yak"), 4), CLASSES, unknown_classes)


def test_labels_do_not_influence_the_split():
    records = records_of(CLASSES, 10)
    hidden = data.hide_labels(records, 0.2, seed=3)
    assert len(hidden.rows("test")) == 6
    adapted_to = hidden.rows("train")
    assert not hidden.labels[adapted_to].any()
    np.testing.assert_array_equal(hidden.labels[hidden.rows("test")], records.labels[hidden.rows("test")])
    other = data.hide_labels(
        Records(records.sources, records.names, records.labels[::-1].copy(), records.splits, CLASSES), 0.2, seed=3
    )
    assert other.splits == hidden.splits


def test_the_upper_bound_gets_the_labels_back_and_the_same_test_split():
    records = records_of(CLASSES, 10)
    hidden = data.hide_labels(records, 0.2, seed=3)
    revealed = data.split_records(data.reveal_labels(records, hidden), validation_fraction=0.2, seed=0)
    assert set(revealed.take(revealed.rows("test")).names) == set(hidden.take(hidden.rows("test")).names)
    np.testing.assert_array_equal(revealed.labels, records.labels)
