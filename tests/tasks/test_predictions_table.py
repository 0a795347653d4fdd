import csv

import numpy as np

from tl_keras.tasks.predictions_table import write_predictions


def written(tmp_path, *arguments):
    write_predictions(tmp_path / "predictions.csv", *arguments)
    with open(tmp_path / "predictions.csv", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_only_the_last_part_has_predictions(tmp_path):
    train = ("train", np.array([1]), ("a", "b"), [("1.png",)])
    test = ("test", np.array([0, 1]), ("a", "b"), [("2.png",), ("3.png",)])
    scores = np.array([[0.75, 0.25], [0.5, 0.5]], "float32")
    assert written(tmp_path, [train, test], scores, ["name"]) == [
        ["name", "split", "label", "prediction", "probability"],
        ["1.png", "train", "b", "", ""],
        ["2.png", "test", "a", "a", "0.750000"],
        ["3.png", "test", "b", "a", "0.500000"],
    ]


def test_several_labels_are_joined(tmp_path):
    labels = np.array([[1, 1], [0, 0]], np.uint8)
    scores = np.array([[0.9, 0.6], [0.1, 0.2]], "float32")
    rows = written(tmp_path, [("test", labels, ("a", "b"), [("x", "t"), ("y", "u")])], scores, ["name", "text"])
    assert rows[1:] == [["x", "t", "test", "a|b", "a|b", "0.900000|0.600000"], ["y", "u", "test", "", "", ""]]


def test_there_are_no_formulas(tmp_path):
    part = ("test", np.array([0, 1]), ("=1+1", "-1"), [("=x",), ("@y",)])
    rows = written(tmp_path, [part], np.array([[0.6, 0.4], [0.4, 0.6]]), ["name"])
    assert rows[1] == ["'=x", "test", "'=1+1", "'=1+1", "0.600000"] and rows[2][0] == "'@y" and rows[2][2] == "-1"
