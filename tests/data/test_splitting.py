import tracemalloc

import numpy as np
import pytest

from tl_keras.data.records import Records
from tl_keras.data.splitting import split_records
from tl_keras.errors import InputError


def make_records(counts, splits=None):
    """Makes `Records` with one label per example and the given number of examples of each class."""
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    names = [str(row) for row in range(len(labels))]
    return Records(names, names, labels, splits or [""] * len(labels), tuple("abcdefgh"[: len(counts)]))


def counts(records, split):
    return np.bincount(records.labels[records.rows(split)], minlength=len(records.class_names)).tolist()


def test_splits_are_stratified():
    records = split_records(make_records([100, 40, 20]), validation_fraction=0.1, test_fraction=0.2)
    assert counts(records, "test") == [20, 8, 4]
    assert counts(records, "validation") == [10, 4, 2]
    assert counts(records, "train") == [70, 28, 14]


def test_the_split_depends_on_the_seed():
    def test_names(seed):
        records = split_records(make_records([50, 50]), seed=seed)
        return [records.names[row] for row in records.rows("test")]

    assert test_names(1) == test_names(1) != test_names(2)


def test_the_test_split_depends_on_seed_and_test_fraction_only():
    records = make_records([50, 30])
    plain = split_records(records)
    other = split_records(records, validation_fraction=0.3, examples_per_class=2)
    assert [plain.names[row] for row in plain.rows("test")] == [other.names[row] for row in other.rows("test")]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 0, 0)), (2, (2, 0, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)), (7, (5, 1, 1))]
)
def test_small_classes_keep_training_examples(count, expected):
    records = split_records(make_records([count, 40]))
    assert tuple(counts(records, split)[0] for split in ("train", "validation", "test")) == expected


def test_classes_of_two_give_one_example_where_no_class_has_three():
    records = split_records(make_records([2] * 8), validation_fraction=0.2, test_fraction=0.25)
    assert sorted(counts(records, "test")) == [0] * 4 + [1] * 4
    assert sum(counts(records, "validation")) == 2
    assert min(counts(records, "train")) == 1


def test_duplicates_in_classes_of_two_stay_together():
    records = split_records(
        make_records([2, 2, 2]), validation_fraction=0, test_fraction=0.5, groups=[0, 0, 1, 1, 2, 3]
    )
    assert counts(records, "test") == [0, 0, 1]


def test_large_fractions_leave_a_training_example_of_each_class():
    records = split_records(make_records([3, 4, 5]), validation_fraction=0.5, test_fraction=0.49)
    assert min(counts(records, "train")) >= 1


def test_fractions_of_zero_draw_nothing():
    records = split_records(make_records([5, 5]), validation_fraction=0, test_fraction=0)
    assert records.splits == ["train"] * 10


def test_splits_of_the_data_stay_and_a_missing_one_is_drawn_from_train():
    splits = (["train"] * 8 + ["test"] * 2) * 2
    records = split_records(make_records([10, 10], splits), validation_fraction=0.25)
    assert counts(records, "test") == [2, 2] and counts(records, "validation") == [2, 2]
    assert all(new in (old, "validation") for old, new in zip(splits, records.splits, strict=True))
    assert [split for old, split in zip(splits, records.splits, strict=True) if old == "test"] == ["test"] * 4


def test_undecided_rows_are_for_training_if_the_data_have_all_splits():
    records = split_records(make_records([4, 4], ["test", "validation", "", "train"] * 2))
    assert records.splits == ["test", "validation", "train", "train"] * 2


def test_budget_cuts_only_the_training_split():
    records = split_records(make_records([40, 40, 3]), examples_per_class=5)
    assert counts(records, "train") == [5, 5, 1]
    assert counts(records, "test") == [6, 6, 1] and counts(records, "validation") == [6, 6, 1]
    assert records.notes == ("data.examples_per_class is 5, but some classes have fewer: c (1).",)
    assert split_records(make_records([40, 40]), examples_per_class=5).notes == ()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("seed", range(5))
def test_duplicates_within_a_class_are_drawn_into_one_split(size, seed):
    records = make_records([80, 80])
    groups = [row // size for row in range(160)]
    decided = split_records(records, seed=seed, groups=groups)
    splits_of_groups = {}
    for group, label, split in zip(groups, records.labels.tolist(), decided.splits, strict=True):
        splits_of_groups.setdefault((group, label), set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of_groups.values())
    assert min(counts(decided, "train")) >= 40 and min(counts(decided, "test")) >= 12
    if size == 1:
        assert decided.splits == split_records(records, seed=seed).splits


def test_a_class_of_duplicates_only_is_for_training():
    decided = split_records(make_records([20, 20]), groups=[0] * 20 + list(range(20)))
    assert (counts(decided, "train")[0], counts(decided, "train")[1]) == (20, 14)


def test_duplicates_stay_together_where_a_class_needs_a_training_example():
    records = make_multi_label([[1, 0]] * 30 + [[0, 1]] * 2)
    decided = split_records(records, groups=[*range(30), 30, 30], validation_fraction=0.4, test_fraction=0.5)
    assert decided.splits[30] == decided.splits[31] == "train"


@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_class_without_training_examples_is_refused(split):
    with pytest.raises(InputError, match=f"The {split} split has labels that the train split never shows, b"):
        split_records(make_records([3, 1], ["train", "train", "train", split]))


def test_nothing_to_train_on():
    with pytest.raises(InputError, match="train split has no labelled examples"):
        split_records(make_records([0, 0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_fraction": 1.0}, "data.test_fraction is 1.0"),
        ({"validation_fraction": -0.1}, "data.validation_fraction is -0.1"),
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "leave nothing to train on"),
        ({"examples_per_class": 0}, "data.examples_per_class is 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        split_records(make_records([5, 5]), **arguments)


def make_multi_label(labels):
    labels = np.array(labels, np.uint8)
    names = [str(row) for row in range(len(labels))]
    return Records(names, names, labels, [""] * len(labels), tuple("abcdefgh"[: labels.shape[1]]))


@pytest.mark.parametrize("seed", range(20))
def test_multi_label_trains_on_every_class(seed):
    labels = np.random.default_rng(seed).random((40, 6)) < (0.6, 0.3, 0.1, 0.05, 0.05, 0.4)
    records = split_records(make_multi_label(labels), validation_fraction=0.3, test_fraction=0.3, seed=seed)
    assert set(records.splits) == {"train", "validation", "test"}
    np.testing.assert_array_equal(records.labels[records.rows("train")].any(axis=0), labels.any(axis=0))


def test_multi_label_budget_keeps_an_example_while_one_of_its_classes_needs_it():
    labels = [[1, 0]] * 20 + [[1, 1]] * 4
    records = split_records(make_multi_label(labels), validation_fraction=0, test_fraction=0, examples_per_class=3)
    kept = records.labels.sum(axis=0)
    assert kept[1] == 3 and 3 <= kept[0] <= 6 and records.notes == ()


def test_memory_does_not_grow_with_examples_times_classes():
    classes = 2000
    names = [""] * (5 * classes)
    labels = np.tile(np.arange(classes, dtype=np.int32), 5)
    records = Records(names, names, labels, names, tuple(map(str, range(classes))))
    tracemalloc.start()
    decided = split_records(records, examples_per_class=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(decided.rows(split)) for split in ("train", "validation", "test")] == [2 * classes, classes, classes]
    # A table of ones and zeros would have 20 MB.
    assert peak < 5e6
