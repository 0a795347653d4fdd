from dataclasses import replace

import numpy as np
import pytest

from tl_keras.data.boxes.records import BoxRecords
from tl_keras.data.boxes.splitting import split_boxes
from tl_keras.errors import InputError


def make_records(count=40, splits=None, labels=None):
    labels = labels or [[row % 2] * (row % 3) for row in range(count)]
    return BoxRecords(
        sources=[str(row) for row in range(count)],
        names=[str(row) for row in range(count)],
        boxes=[np.zeros((len(row), 4), np.float32) for row in labels],
        labels=[np.array(row, np.int32) for row in labels],
        sizes=np.ones((count, 2), np.int32),
        splits=splits or [""] * count,
        class_names=("a", "b"),
    )


def test_splits_depend_on_the_seed():
    records = make_records()
    records_with_splits = split_boxes(records, validation_fraction=0.2, test_fraction=0.1, seed=1)
    counts = {split: len(records_with_splits.rows(split)) for split in ("train", "validation", "test")}
    assert sum(counts.values()) == 40 and 6 <= counts["validation"] <= 10 and 3 <= counts["test"] <= 6
    assert records_with_splits.names == records.names and records.splits == [""] * 40
    assert split_boxes(records, validation_fraction=0.2, test_fraction=0.1, seed=1).splits == records_with_splits.splits
    assert split_boxes(records, validation_fraction=0.2, test_fraction=0.1, seed=2).splits != records_with_splits.splits


def test_splits_of_the_data_stay():
    splits = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
    assert split_boxes(make_records(splits=splits)).splits == splits


def test_fewer_training_images():
    records = make_records()
    whole, few = split_boxes(records, seed=3), split_boxes(records, seed=3, max_train_images=5)
    assert len(few.rows("train")) == 5 and few.notes == ()
    [note] = split_boxes(records, seed=3, max_train_images=50).notes
    assert note == f"data.max_train_images is 50, but there are only {len(whole.rows('train'))} training images."
    assert [n for n, s in zip(few.names, few.splits, strict=True) if s == "test"] == [
        n for n, s in zip(whole.names, whole.splits, strict=True) if s == "test"
    ]
    assert set(few.names) <= set(whole.names)
    with pytest.raises(InputError, match="data.max_train_images is 0"):
        split_boxes(records, max_train_images=0)


def test_fewer_training_images_show_each_class():
    labels = [[0]] * 30 + [[1]] * 2 + [[0]] * 8
    records = make_records(40, ["train"] * 38 + ["validation", "test"], labels)
    for seed in range(20):
        few = split_boxes(records, seed=seed, max_train_images=3)
        shown = {int(few.labels[row][0]) for row in few.rows("train")}
        assert shown == {0, 1} and len(few.rows("train")) == 3
    with pytest.raises(InputError, match="max_train_images 1 is too small to show all 2 classes: expected 2 or more"):
        split_boxes(records, max_train_images=1)


def test_duplicates_are_drawn_into_one_split(tmp_path):
    records = make_records(40, labels=[[0]] * 40)
    paths = [tmp_path / name for name in records.names]
    for number, path in enumerate(paths):
        path.write_text(str(number // 4))
    records = replace(records, sources=list(map(str, paths)))
    splits = split_boxes(records, validation_fraction=0.2, test_fraction=0.2).splits
    assert all(len(set(splits[row : row + 4])) == 1 for row in range(0, 40, 4))
    assert {splits.count(split) for split in ("validation", "test")} == {8}


def test_a_class_in_validation_only():
    records = make_records(3, ["train", "validation", "test"], [[0], [0, 1], [0]])
    with pytest.raises(InputError, match="validation split has labels that the train split never shows, b"):
        split_boxes(records)
