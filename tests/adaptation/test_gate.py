import math

import numpy as np
import pytest

from tl_keras.adaptation import DomainOutputs
from tl_keras.adaptation.gate import class_coverage, find_objection

BEFORE = {
    "reverse_validation": 0.7,
    "information_maximization": 1.0,
    "source_accuracy": 0.8,
    "class_coverage": 0.9,
}


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({}, None),
        ({"information_maximization": 2.0, "source_accuracy": 0.71}, None),
        ({"reverse_validation": 0.69}, "reverse_validation falls from 0.700 to 0.690"),
        ({"information_maximization": 0.5}, "information_maximization falls from 1.000 to 0.500"),
        ({"source_accuracy": 0.108}, "source_accuracy falls from 0.800 to 0.108"),
        ({"class_coverage": 0.4}, "its predictions cover 40% of the classes of the source"),
        ({"reverse_validation": math.nan}, "reverse_validation falls from 0.700 to nan"),
    ],
)
@pytest.mark.parametrize("validator", ["information_maximization", "reverse_validation"])
def test_an_adapted_model_is_no_worse_by_any_criterion(changes, objection, validator):
    assert find_objection(BEFORE | changes, BEFORE, validator) == objection


def test_a_model_that_covers_more_classes_than_before_has_not_collapsed():
    before, after = (BEFORE | {"class_coverage": share} for share in (0.2, 0.3))
    assert find_objection(after, before, "reverse_validation") is None


@pytest.mark.parametrize(("predicted", "expected"), [([0, 1, 2, 3], 1.0), ([2, 2, 2, 2], 0.25), ([0, 0, 1, 1], 0.5)])
def test_the_coverage_is_that_of_the_predicted_classes(predicted, expected):
    target = DomainOutputs(np.zeros((4, 1)), np.eye(4)[predicted])
    assert class_coverage(None, np.arange(4), target) == pytest.approx(expected)
