from types import SimpleNamespace

import numpy as np
import pytest

from tl_keras.data import BoxSet, Splits
from tl_keras.studies.box_check import check_boxes, summary_lines, write_box_check

LEFT, RIGHT = [0, 0, 10, 10], [20, 20, 30, 30]


def make_part(names, boxes, labels):
    boxes = [np.array(one, "float32").reshape(-1, 4) for one in boxes]
    count = len(names)
    images, sizes = np.zeros((count, 32, 32, 3), "uint8"), np.full((count, 2), 32)
    labels = [np.array(one, int) for one in labels]
    return BoxSet(images=images, labels=labels, names=names, class_names=("cat", "dog"), boxes=boxes, sizes=sizes)


def detections(*found):
    boxes, scores, labels = zip(*found, strict=True) if found else ((), (), ())
    boxes = np.array(boxes, "float32").reshape(-1, 4)
    return {"boxes": boxes, "scores": np.array(scores, float), "labels": np.array(labels, int)}


@pytest.fixture
def run():
    """Run with four images: one agrees, the others lack a box, have one too many and another class."""
    train = make_part(["same", "=forgotten", "spare"], [[LEFT], [LEFT], [LEFT, RIGHT]], [[0], [0], [0, 1]])
    test = make_part(["class"], [[LEFT]], [[1]])
    found = {
        id(train): [
            detections((LEFT, 0.9, 0), (RIGHT, 0.2, 0)),
            detections((LEFT, 0.9, 0), (RIGHT, 0.8, 1)),
            detections((LEFT, 0.9, 0)),
        ],
        id(test): [detections((LEFT, 0.7, 0))],
    }
    splits = Splits(train, make_part([], [], []), test, ("cat", "dog"))
    task = SimpleNamespace(load_data=lambda config: splits)
    return SimpleNamespace(task=task, config=None, score_threshold=0.5, predict_set=lambda part: found[id(part)])


def test_images_are_ordered_by_their_disagreement(run, tmp_path):
    check = check_boxes(run)
    assert [(row["name"], round(row["disagreement"], 2)) for row in check.rows] == [
        ("spare", 1.0),
        ("=forgotten", 0.8),
        ("class", 0.7),
    ]
    assert summary_lines(check) == [
        "in 3 of 4 images boxes and detections disagree; nothing was changed:",
        "  spare (train, 2 boxes): 1 undetected",
        "  =forgotten (train, 1 box): 1 unlabelled",
        "  class (test, 1 box): 1 other class",
    ]
    table, plot = write_box_check(check, ("cat", "dog"), tmp_path / "new")
    assert table.read_text().splitlines()[2] == "'=forgotten,train,1,0.800,1,0,0,0"
    assert plot.exists()


def test_boxes_that_agree_have_no_plot(run, tmp_path):
    run.predict_set = lambda part: [
        {"boxes": boxes, "labels": labels, "scores": np.ones(len(labels))}
        for boxes, labels in zip(part.boxes, part.labels, strict=True)
    ]
    check = check_boxes(run)
    (tmp_path / "box_check.png").write_text("of an earlier check")
    assert check.rows == [] and len(write_box_check(check, ("cat", "dog"), tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["box_check.csv"]
