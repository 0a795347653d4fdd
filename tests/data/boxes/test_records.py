import numpy as np

from tl_keras.data.boxes.records import BoxRecords


def make_records():
    boxes = [np.zeros((count, 4), np.float32) for count in (1, 0, 2)]
    labels = [np.array(row, np.int32) for row in ([1], [], [0, 1])]
    sizes = np.array([[3, 4], [5, 6], [7, 8]], np.int32)
    splits = ["train", "", "train"]
    return BoxRecords(["a", "b", "c"], ["A", "B", "C"], labels, splits, ("x", "y"), boxes=boxes, sizes=sizes)


def test_rows_and_take():
    records = make_records()
    assert records.rows("train").tolist() == [0, 2] and records.rows("test").tolist() == []
    taken = records.take(np.array([2, 1]))
    assert (taken.sources, taken.names, taken.splits) == (["c", "b"], ["C", "B"], ["train", ""])
    assert [labels.tolist() for labels in taken.labels] == [[0, 1], []] and len(taken.boxes[0]) == 2
    assert taken.sizes.tolist() == [[7, 8], [5, 6]] and len(taken) == 2


def test_multi_hot_labels():
    assert make_records().multi_hot_labels().tolist() == [[0, 1], [0, 0], [1, 1]]
