import numpy as np
import pytest

from tests.explanation.explanation_cases import image_explanation, text_explanation
from tl_keras.demo_page.answers import CHOOSE, answer, explain_object
from tl_keras.errors import InputError
from tl_keras.explanation import DetectionExplanation
from tl_keras.explanation.detections import ExplainedDetection


class FakeRun:
    """A run that answers with what it was made of."""

    class_names = ("cat", "dog")

    def __init__(self, explained=None, found=None, problem=None, takes_texts=False):
        self.explained, self.task = explained, self
        self.found, self.problem, self.takes_texts = found, problem, takes_texts
        self.gives_probabilities = found is None

    def predict(self, examples):
        return np.array([[0.75, 0.25]], "float32")

    def explain(self, examples, max_boxes=None):
        self.max_boxes = max_boxes
        if isinstance(self.explained, Exception):
            raise self.explained
        return [self.explained]

    def predict_items(self, items, options):
        yield items[0], self.found, self.problem


def test_an_image_gets_probabilities_and_a_heat_map():
    found = answer(FakeRun(image_explanation()), "x.png")
    assert found.probabilities == {"cat": 0.75, "dog": 0.25}
    assert found.image.shape == (16, 16, 3) and found.words is None
    assert found.note == "Red parts raise the score of cat."


def test_a_text_gets_words_scaled_to_the_largest_and_warnings():
    found = answer(FakeRun(text_explanation(gap=0.2), takes_texts=True), "a bold text")
    assert [round(value, 2) for _, value in found.words] == [0.03, 1.0, -0.37]
    assert "of good, violet" in found.note and "more than 1 %" in found.note


def test_a_network_that_cannot_be_explained_still_predicts():
    found = answer(FakeRun(InputError("Grad-CAM needs a feature map.")), "x.png")
    assert found.probabilities["cat"] == 0.75 and found.image is None
    assert found.note == "Grad-CAM needs a feature map."


def test_a_detector_draws_its_boxes(image_folder):
    path = str(image_folder / "red" / "red-00.png")
    found = answer(FakeRun(found=[("dog", 0.87654, [1.0, 2.0, 30.04, 20.0])]), path)
    assert found.objects == [["dog", 0.877, 1.0, 2.0, 30.0, 20.0]] and found.note == CHOOSE
    assert min(found.image.shape[:2]) >= 320
    assert answer(FakeRun(found=[]), path).note == "Nothing is found."


def test_the_map_of_a_chosen_box_is_shown_whatever_the_order_of_the_table(image_folder):
    path = str(image_folder / "red" / "red-00.png")
    objects = [("dog", 0.9, [1.0, 2.0, 30.0, 20.0]), ("cat", 0.8, [5.0, 2.0, 30.0, 20.0])]
    maps = np.zeros((2, 4, 4), "float32")
    maps[0, :2], maps[1, 2:] = 1, 1
    image = np.full((32, 32, 3), 128, "uint8")
    explained = [
        ExplainedDetection(name, score, box, box, heat) for (name, score, box), heat in zip(objects, maps, strict=True)
    ]
    run = FakeRun(DetectionExplanation(image, explained), found=objects)
    shown = [explain_object(run, path, row) for row in answer(run, path).objects]
    assert [one.note.removeprefix("Red parts raise the score of ") for one in shown] == ["dog, 0.900.", "cat, 0.800."]
    assert run.max_boxes == 2
    # The second map is hot below, where the first one is pale.
    above, below = (one.image[[3, 28], 2].astype(int) for one in shown)
    assert (np.abs(above - below).max(axis=1) > 30).all()
    with pytest.raises(InputError, match="another image: press Predict"):
        explain_object(run, path, ["dog", 0.1, 1.0, 2.0, 30.0, 20.0])


def test_an_image_that_cannot_be_read_is_one_sentence():
    with pytest.raises(InputError, match=r"cannot be read \(truncated\)"):
        answer(FakeRun(found=[], problem="truncated"), "x.png")
