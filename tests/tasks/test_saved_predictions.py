import numpy as np
import pytest

from tl_keras.errors import InputError
from tl_keras.tasks.saved_predictions import check_detections, check_probabilities


def test_probabilities_pass_as_float32():
    values = check_probabilities(np.array([[0, 1], [0.5, 0.5]], "float16"), 2)
    assert values.dtype == "float32" and values.tolist() == [[0, 1], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.5, 0.5]], "returned 1 prediction for 2 examples"),
        ([[np.nan, 0], [0, 1]], "NaN or infinity"),
        ([[np.inf, 0], [0, 1]], "NaN or infinity"),
        ([[-3, 4], [0, 1]], "values from -3 to 4, expected probabilities"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        check_probabilities(values, 2)


def detections(boxes=((0, 0, 1, 1),), labels=(1,)):
    return [{"boxes": np.array(boxes, "float32").reshape(-1, 4), "labels": np.array(labels, "int32")}]


def test_detections_pass():
    assert check_detections(detections(), 2)
    assert check_detections(detections((), ()), 2)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (detections(((0, 0, np.nan, 1),)), "boxes with NaN"),
        (detections(labels=(2,)), "the classes 2 to 2, expected 0 to 1"),
        (detections(labels=(-1,)), "the classes -1 to -1"),
    ],
)
def test_other_detections_are_refused(one, message):
    with pytest.raises(InputError, match=message):
        check_detections(one, 2)
