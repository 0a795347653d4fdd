import numpy as np
import pytest

from tl_keras.explanation import detections

IMAGE = np.zeros((8, 8, 3), "uint8")
FOUND = {
    "boxes": np.array([[0, 0, 4, 4], [2, 2, 8, 8]], "float32"),
    "scores": np.array([0.9, 0.25], "float32"),
    "labels": np.array([1, 0]),
}


def test_each_detection_has_its_class_both_boxes_and_a_scaled_map(monkeypatch):
    maps = np.zeros((2, 2, 2), "float32")
    maps[0, 0, 1] = 4.0
    monkeypatch.setattr(detections, "box_maps", lambda model, image, found: maps)
    first, second = detections.explain_detections(None, IMAGE, FOUND, 10 * FOUND["boxes"], ("cat", "dog")).detections
    assert (first.class_name, first.box, first.box_in_image) == ("dog", [0, 0, 40, 40], [0, 0, 4, 4])
    assert (second.class_name, second.score) == ("cat", 0.25)
    # A map where nothing raises the score stays zero.
    assert (first.heat_map.max(), second.heat_map.max()) == (1.0, 0.0)


def test_an_image_without_detections_needs_no_map(monkeypatch):
    monkeypatch.setattr(detections, "box_maps", lambda *_: pytest.fail("a map was computed"))
    nothing = {name: values[:0] for name, values in FOUND.items()}
    assert detections.explain_detections(None, IMAGE, nothing, nothing["boxes"], ("cat", "dog")).detections == []
