import csv

import numpy as np

from tl_keras.data import BoxSet
from tl_keras.tasks.detections_table import write_detections


def test_detections_and_missed_boxes_are_rows(tmp_path):
    boxes = [np.array([[0, 0, 10, 10], [20, 20, 30, 30]], float), np.zeros((0, 4))]
    labels = [np.array([0, 1]), np.zeros(0, int)]
    images, sizes = np.zeros((2, 40, 40, 3), "uint8"), np.full((2, 2), 40)
    examples = BoxSet(images, labels, ["a.png", "=b.png"], ("cat", "dog"), boxes=boxes, sizes=sizes)
    predictions = [
        {"boxes": np.array([[0, 0, 10, 9]], float), "scores": [0.75], "labels": [0]},
        {"boxes": np.array([[1, 1, 5, 5]], float), "scores": [0.5], "labels": [1]},
    ]
    write_detections(tmp_path / "predictions.csv", "test", examples, boxes, predictions)
    with open(tmp_path / "predictions.csv", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    sides = ["xmin", "ymin", "xmax", "ymax"]
    assert header[7:] == [*(f"ground_truth_{side}" for side in sides), *sides]
    assert header[:7] == ["name", "split", "label", "prediction", "score", "iou", "outcome"]
    assert rows == [
        ["a.png", "test", "cat", "cat", "0.750000", "0.9000", "right"]
        + ["0.0", "0.0", "10.0", "10.0", "0.0", "0.0", "10.0", "9.0"],
        ["a.png", "test", "dog", "", "", "", "missed", "20.0", "20.0", "30.0", "30.0", *[""] * 4],
        ["'=b.png", "test", "", "dog", "0.500000", "", "background", *[""] * 4, "1.0", "1.0", "5.0", "5.0"],
    ]
