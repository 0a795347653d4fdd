from types import SimpleNamespace

import numpy as np

import tl_keras as tl
from tl_keras.runs.evaluation_report import measure_min_confidence
from tl_keras.runs.evaluations import evaluate_run

PREDICTIONS = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], "float32")


def make_run(min_confidence, gives_probabilities=True):
    task = SimpleNamespace(gives_probabilities=gives_probabilities, example_labels=lambda examples: examples)
    return SimpleNamespace(task=task, min_confidence=min_confidence)


def test_the_recommended_confidence_is_tested_on_other_examples():
    (found,) = measure_min_confidence(make_run(0.7), np.array([0, 0, 0]), PREDICTIONS).values()
    assert found == {"min_confidence": 0.7, "kept": 2, "right": 1, "examples": 3}


def test_without_a_recommendation_nothing_is_tested():
    assert measure_min_confidence(make_run(None), np.array([0, 0, 0]), PREDICTIONS) == {}
    assert measure_min_confidence(make_run(0.7, gives_probabilities=False), None, None) == {}


def test_the_report_of_an_evaluation_explains_its_mistakes(finished_run):
    results = evaluate_run(tl.load_run(finished_run[0]))
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "on its test split</h1>" in page and page.count("<svg") == 2
    assert ("Right of each image its map" in page) == (results.read_json("metrics.json")["accuracy"] < 1)
    assert "Typical and wrong examples" in page
