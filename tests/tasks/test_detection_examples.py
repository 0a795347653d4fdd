from types import SimpleNamespace

import numpy as np

from tl_keras import explanation
from tl_keras.explanation.detections import DetectionExplanation, ExplainedDetection
from tl_keras.tasks import detection_examples
from tl_keras.tasks.detection_examples import find_mistakes, show_mistakes

BOX = np.array([[0.0, 0, 30, 30]])
IMAGES = SimpleNamespace(
    images=np.full((5, 64, 64, 3), 200, "uint8"),
    boxes=[BOX] * 5,
    labels=[np.array([0])] * 5,
    names=list("abcde"),
    class_names=("cat", "dog"),
)


def detections(*rows):
    """Builds the detections of an image from (score, label, is at the box)."""
    return {
        "boxes": np.array([BOX[0] + (0 if at_box else 33) for _, _, at_box in rows]).reshape(-1, 4),
        "scores": np.array([score for score, _, _ in rows]),
        "labels": np.array([label for _, label, _ in rows], int),
    }


PREDICTIONS = [
    detections((0.9, 0, True), (0.5, 0, False), (0.4, 0, False)),
    detections((0.8, 1, True)),
    detections((0.95, 0, True)),
    detections((0.7, 0, False)),
    detections((0.3, 1, False)),
]


def test_the_most_confident_mistake_of_each_image_is_found():
    assert find_mistakes(IMAGES, PREDICTIONS) == [(1, 0, "wrong_class"), (3, 0, "background"), (0, 1, "background")]
    assert find_mistakes(IMAGES, [detections()] * 5) == []


def test_mistakes_are_explained_while_there_is_time(monkeypatch):
    asked, clock = [], iter([0.0, 0.0, 1.9, 2.1])

    def explain(model, image, found, boxes, class_names):
        asked.append((found["scores"].tolist(), model))
        detection = ExplainedDetection("dog", 0.8, [0] * 4, [0] * 4, np.ones((2, 2), "float32"))
        return DetectionExplanation(image, [detection])

    monkeypatch.setattr(explanation, "explain_detections", explain)
    monkeypatch.setattr(detection_examples.time, "monotonic", lambda: next(clock))
    tiles = show_mistakes("model", IMAGES, PREDICTIONS)
    assert asked == [([0.8], "model"), ([0.7], "model")]
    assert [tile.lines for tile in tiles[:2]] == [("wrong class", "→ dog 80%", "b"), ("background", "→ cat 70%", "d")]
    assert [len(tile.images) for tile in tiles] == [2, 2, 1]
    assert all(tile.is_mistake for tile in tiles)
