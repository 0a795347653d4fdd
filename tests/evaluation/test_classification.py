import json

import numpy as np
import pytest
from sklearn import metrics

from tl_keras.errors import InputError
from tl_keras.evaluation.classification import (
    MAX_CONFUSED_CLASSES,
    classification_metrics,
    most_confused,
    worst_mistakes,
)

LABELS = [0, 0, 1, 1]
PROBABILITIES = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]


def test_single_label_by_hand():
    result = classification_metrics(LABELS, PROBABILITIES, ["cat", "dog"])
    assert result["examples"] == 4
    assert result["accuracy"] == 0.75
    assert result["confusion_matrix"] == [[1, 1], [0, 2]]
    assert result["per_class"]["cat"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert result["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert result["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.2, 0.6, 0.7])))
    assert result["expected_calibration_error"] == pytest.approx((0.1 + 0.8 + 0.4 + 0.3) / 4)
    assert "top_5_accuracy" not in result


def test_top_5_accuracy_needs_more_than_5_classes():
    probabilities = [[0.3, 0.25, 0.2, 0.15, 0.1, 0.0]] * 2
    result = classification_metrics([4, 5], probabilities, list("abcdef"))
    assert result["top_5_accuracy"] == 0.5


@pytest.mark.parametrize("multi_label", [False, True])
def test_classes_without_an_example_have_no_scores_and_do_not_count(multi_label):
    labels = np.eye(3, dtype=int)[[0, 1, 1]] if multi_label else [0, 1, 1]
    result = classification_metrics(labels, np.eye(3)[[0, 1, 2]], ["a", "b", "unseen"], multi_label)
    assert result["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert {"precision": None, "recall": None, "f1": None, "support": 0}.items() <= result["per_class"][
        "unseen"
    ].items()


def test_float32_rounding_gives_no_warning(recwarn):
    probabilities = np.array([[0.3333, 0.333, 0.333]] * 3, "float32")
    result = classification_metrics([0, 1, 2], probabilities, list("abc"))
    assert result["log_loss"] == pytest.approx(np.log(3), abs=1e-3)
    assert not recwarn.list


def test_multi_label_by_hand():
    labels = [[1, 0], [1, 1], [0, 0]]
    probabilities = [[0.9, 0.2], [0.8, 0.4], [0.6, 0.1]]
    result = classification_metrics(labels, probabilities, ["cat", "dog"], multi_label=True)
    assert result["subset_accuracy"] == pytest.approx(1 / 3)
    assert result["per_class"]["cat"]["f1"] == pytest.approx(0.8)
    assert result["per_class"]["dog"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1, "average_precision": 1}
    assert result["macro_f1"] == pytest.approx(0.4)
    assert result["micro_f1"] == pytest.approx(4 / 6)
    assert result["mean_average_precision"] == 1


def test_a_single_label_column_is_not_read_as_two_classes():
    result = classification_metrics([[1], [0], [1]], [[0.9], [0.8], [0.7]], ["cat"], multi_label=True)
    assert list(result["per_class"]) == ["cat"]
    assert result["macro_f1"] == result["micro_f1"] == pytest.approx(0.8)


def test_multi_label_without_any_positive():
    result = classification_metrics([[0, 0]], [[0.1, 0.2]], ["a", "b"], multi_label=True)
    assert (result["subset_accuracy"], result["macro_f1"], result["mean_average_precision"]) == (1, 0, None)


@pytest.mark.parametrize("multi_label", [False, True])
def test_metrics_are_ready_for_json(multi_label):
    labels = np.eye(2, dtype="uint8")[LABELS] if multi_label else np.array(LABELS, "int32")
    result = classification_metrics(labels, np.array(PROBABILITIES, "float32"), ("cat", "dog"), multi_label)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize(
    ("labels", "probabilities", "multi_label", "message"),
    [
        ([0, 1, 1], PROBABILITIES, False, r"probabilities: got shape \(4, 2\), expected \(3, 2\)"),
        (LABELS, np.eye(3)[[0, 1, 2, 0]], False, r"probabilities: got shape \(4, 3\), expected \(4, 2\)"),
        (LABELS, PROBABILITIES, True, r"labels: got shape \(4,\), expected \(4, 2\), for multi_label=True"),
        (np.eye(2)[LABELS], PROBABILITIES, False, r"labels: got shape \(4, 2\), expected \(4,\)"),
        ([], np.zeros((0, 2)), False, "got no example"),
        ([0, 0, 1, 2], PROBABILITIES, False, "labels: got 0 to 2, expected 0 to 1"),
        (LABELS, [[np.nan, 1]] + PROBABILITIES[1:], False, "NaN or infinity for 1 of 4 examples"),
        (LABELS, [[2.5, -1.5]] * 4, False, "are these logits"),
        (LABELS, [[0.2, 0.2]] * 4, False, "are these logits"),
        (np.eye(2)[LABELS], [[2.5, -1.5]] * 4, True, "are these logits"),
    ],
)
def test_bad_input_is_refused(labels, probabilities, multi_label, message):
    with pytest.raises(InputError, match=message):
        classification_metrics(labels, probabilities, ["cat", "dog"], multi_label)


def test_worst_mistakes_are_sorted_by_confidence_then_position():
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.6, 0.4], [0.3, 0.7]]
    assert worst_mistakes([0, 0, 1, 1, 0], probabilities, count=10) == [1, 4, 2, 3]
    assert worst_mistakes([0, 0, 1, 1, 0], probabilities, count=2) == [1, 4]


def test_worst_mistakes_of_multi_label():
    labels = [[1, 0], [1, 0], [0, 0]]
    probabilities = [[0.9, 0.2], [0.1, 0.2], [0.1, 0.6]]
    assert worst_mistakes(labels, probabilities, count=10) == [1, 2]


def test_most_confused_pairs():
    pairs = most_confused([[5, 1, 4], [0, 9, 0], [2, 0, 8]], ["a", "b", "c"], count=2)
    assert pairs == [
        {"true": "a", "predicted": "c", "count": 4, "share": 0.4},
        {"true": "c", "predicted": "a", "count": 2, "share": 0.2},
    ]
    assert most_confused([[5, 0], [0, 0]], ["a", "b"]) == []


def test_top_5_accuracy_and_log_loss_equal_scikit_learn():
    generator = np.random.default_rng(0)
    # Two decimals make ties.
    probabilities = generator.dirichlet(np.full(9, 0.3), 500).round(2) + 1e-6
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = generator.integers(0, 9, 500)
    result = classification_metrics(labels, probabilities, [str(number) for number in range(9)])
    assert result["top_5_accuracy"] == metrics.top_k_accuracy_score(labels, probabilities, k=5, labels=range(9))
    assert result["log_loss"] == pytest.approx(metrics.log_loss(labels, probabilities, labels=range(9)), rel=1e-12)


def test_thousands_of_classes_have_metrics_but_no_confusion_matrix():
    count = MAX_CONFUSED_CLASSES + 1
    names = [str(number) for number in range(count)]
    result = classification_metrics(np.arange(count), np.eye(count), names)
    assert result["accuracy"] == result["top_5_accuracy"] == result["per_class"]["1000"]["f1"] == 1.0
    assert "confusion_matrix" not in result
