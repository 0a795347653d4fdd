import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks, get_tags

import tl_keras as tl

CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
)
"""Checks that give no data; all others fit numbers in two dimensions, which scikit-learn leaves out by the tags."""
ESTIMATORS = [tl.ImageClassifier(), tl.TextClassifier(seed=3)]


@pytest.fixture
def photos(image_folder):
    """Paths of images, and numbers as labels, whose order is not that of their names."""
    paths = np.array(sorted(map(str, image_folder.rglob("*.png"))))
    kinds = np.array([os.path.basename(os.path.dirname(path)) for path in paths])
    return paths, np.select([kinds == "blue", kinds == "green"], [10, 9], 2)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("check", CHECKS)
def test_checks_of_scikit_learn(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_the_tags_say_that_the_input_is_a_sequence_of_strings(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.string and not tags.input_tags.two_d_array and tags.estimator_type == "classifier"
    with pytest.raises(NotFittedError):
        estimator.predict(["x"])


@pytest.mark.usefixtures("small_network")
def test_the_example_of_the_documentation_predicts_in_the_order_of_the_labels(photos, tmp_path, capsys, monkeypatch):
    paths, labels = photos
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    names = {"paths": paths, "labels": labels, "new_paths": paths}
    exec(re.search(r"```python\n(from sklearn.*?)```", text, re.DOTALL)[1], names)
    classifier = names["classifier"]
    assert capsys.readouterr().out == ""
    assert classifier.classes_.tolist() == [2, 9, 10] and classifier.run_.class_names == ("2", "9", "10")
    probabilities = classifier.predict_proba(paths)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (classifier.classes_[probabilities.argmax(1)] == classifier.predict(paths)).all()
    assert classifier.score(paths, labels) > 0.8
    kept = clone(classifier).set_params(run=str(classifier.run_.folder))
    with pytest.raises(tl.InputError, match="There is already a run in"):
        kept.fit(paths, labels)


def test_labels_that_are_read_alike_are_refused():
    with pytest.raises(tl.InputError, match="labels that look alike at '01' and '1'"):
        tl.TextClassifier().fit([f"text {number}" for number in range(12)], ["1", "01", "2"] * 4)


def test_as_many_labels_as_examples_are_needed():
    with pytest.raises(tl.InputError, match="X has 1 example and y 2 labels"):
        tl.TextClassifier().fit(["a"], [0, 1])
