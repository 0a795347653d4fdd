from types import SimpleNamespace

import pytest

from tl_keras.errors import InputError
from tl_keras.studies.comparison.terms import BOXES, CLASSES, terms_of
from tl_keras.tasks.registry import TASKS


def test_budgets_count_labels_of_a_class_or_images():
    names = [(terms.name_budget(one), terms.head(one)) for terms in (CLASSES, BOXES) for one in ("5", "all")]
    assert names == [
        ("5 labels a class", "5 a class"),
        ("all labels", "all labels"),
        ("5 images", "5 images"),
        ("all images", "all images"),
    ]


def test_every_task_has_its_terms_and_others_are_refused(monkeypatch):
    assert {terms_of(name) for name in TASKS if name != "object_detection"} == {CLASSES}
    assert terms_of("object_detection") is BOXES
    monkeypatch.setitem(TASKS, "regression", SimpleNamespace(supports_auto=False))
    with pytest.raises(InputError, match="for classification and object_detection, but task is regression"):
        terms_of("regression")


def test_the_figures_of_the_terms_are_those_of_their_results():
    assert all(hasattr(CLASSES.result, name) for name in CLASSES.figures)
    assert set(BOXES.figures) <= set(BOXES.result.__dataclass_fields__)
