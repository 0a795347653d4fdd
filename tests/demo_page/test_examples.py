import json

import numpy as np
import pytest

from tl_keras.data import Records
from tl_keras.demo_page.examples import find_examples, read_test_names
from tl_keras.errors import InputError
from tl_keras.runs.trained_run import load_run


class FakeRun:
    """A run on texts whose records are given."""

    takes_texts = True

    def __init__(self, folder, records, path="texts.csv"):
        self.folder, self.records, self.task = folder, records, self
        data = type("Data", (), {"path": path})
        self.config = type("Config", (), {"data": data})

    def find_labelled(self, config, path):
        if isinstance(self.records, Exception):
            raise self.records
        return self.records


def texts(labels):
    return Records(["good", "bad", "=odd"], ["a", "b", "=c"], labels, [""] * 3, ("no", "yes"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "predictions.csv").write_text("name,split\na,train\nb,test\n'=c,test\n")
    return tmp_path


def test_examples_of_a_run_are_test_images_with_their_classes(finished_run, image_folder):
    examples = find_examples(load_run(finished_run[0]), count=4)
    assert len(examples) == 4
    tested = read_test_names(finished_run[0])
    for example in examples:
        kind, name = example.value.split("/")[-2:]
        assert kind == example.label and f"{kind}/{name}" in tested


@pytest.mark.parametrize("labels", [np.array([0, 1, 0]), np.array([[1, 0], [0, 1], [1, 1]])])
def test_only_test_texts_are_shown(folder, labels):
    found = [(one.value, one.label) for one in find_examples(FakeRun(folder, texts(labels)))]
    assert found == [("bad", "yes"), ("=odd", "no" if labels.ndim == 1 else "no, yes")]


def test_there_are_no_examples_without_the_data(folder):
    assert find_examples(FakeRun(folder, InputError("Nothing found."))) == []
    assert find_examples(FakeRun(folder, texts(np.zeros(3, int)), path="tfds:imdb_reviews")) == []
    assert find_examples(FakeRun(folder / "missing", texts(np.zeros(3, int)))) == []


def test_names_of_a_detector_come_from_its_detections(tmp_path):
    images = [{"file_name": "x.png"}, {"file_name": 3}, "odd"]
    (tmp_path / "detections.json").write_text(json.dumps({"truth": {"images": images}}))
    assert read_test_names(tmp_path) == {"x.png"}
    (tmp_path / "detections.json").write_text(json.dumps({"truth": [1]}))
    assert read_test_names(tmp_path) == set()
