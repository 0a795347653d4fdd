import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, log_loss

from tl_keras.evaluation import bootstrap
from tl_keras.evaluation.bootstrap import resample_f1_difference, resample_metrics

GENERATOR = np.random.default_rng(1)
LABELS = GENERATOR.integers(4, size=60)
PROBABILITIES = (np.eye(4)[LABELS] + 3 * GENERATOR.random((60, 4))) / 7
SEVERAL = (GENERATOR.random((60, 4)) < 0.3).astype(int)
SCORES = np.clip(0.4 * SEVERAL + 0.6 * GENERATOR.random((60, 4)), 0, 1).round(1)  # with equal scores


def first_resample(size):
    """Returns the rows of the first resample."""
    return np.random.default_rng(0).integers(size, size=size)


def test_single_label_metrics_equal_those_of_scikit_learn_on_the_drawn_examples():
    rows, values = first_resample(60), resample_metrics(LABELS, PROBABILITIES)
    labels, drawn = LABELS[rows], PROBABILITIES[rows] / PROBABILITIES[rows].sum(axis=1, keepdims=True)
    assert values["macro_f1"].shape == (1000,)
    true = np.unique(labels)
    assert values["macro_f1"][0] == pytest.approx(f1_score(labels, drawn.argmax(axis=1), average="macro", labels=true))
    assert values["log_loss"][0] == pytest.approx(log_loss(labels, drawn, labels=range(4)))


def test_multi_label_metrics_equal_those_of_scikit_learn_on_the_drawn_examples():
    rows, values = first_resample(60), resample_metrics(SEVERAL, SCORES, multi_label=True)
    labels, scores = SEVERAL[rows], SCORES[rows]
    for average in ("macro", "micro"):
        assert values[f"{average}_f1"][0] == pytest.approx(f1_score(labels, scores >= 0.5, average=average))
    assert values["mean_average_precision"][0] == pytest.approx(average_precision_score(labels, scores))


def test_classes_without_a_positive_example_are_left_out():
    labels = np.array([[1, 0], [0, 0]])
    values = resample_metrics(labels, [[0.9, 0.1], [0.2, 0.3]], multi_label=True)
    drawn = [0 in row for row in np.random.default_rng(0).integers(2, size=(1000, 2))]
    np.testing.assert_array_equal(values["mean_average_precision"], np.where(drawn, 1, np.nan))
    np.testing.assert_array_equal(values["macro_f1"], np.where(drawn, 1, 0))
    assert "mean_average_precision" not in resample_metrics(0 * labels, np.zeros((2, 2)), multi_label=True)


def test_the_macro_f1_leaves_out_classes_without_an_example():
    values = resample_metrics([0, 1], np.eye(3)[[0, 2]])["macro_f1"]
    drawn = np.random.default_rng(0).integers(2, size=(1000, 2))
    np.testing.assert_array_equal(values, [np.mean([row == 0 for row in np.unique(rows)]) for rows in drawn])


def test_the_same_examples_are_drawn_for_two_models():
    one, other = (resample_metrics(LABELS, PROBABILITIES)["log_loss"] for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_large_tests_get_fewer_resamples_and_no_average_precision(monkeypatch):
    monkeypatch.setattr(bootstrap, "MAX_CELLS", 180 * 300)
    assert len(resample_metrics(LABELS, np.eye(4)[LABELS])["log_loss"]) == 300
    values = resample_metrics(SEVERAL, np.zeros((60, 4)), multi_label=True)
    assert set(values) == {"macro_f1", "micro_f1"}


def test_the_difference_of_two_models_is_on_the_same_examples(monkeypatch):
    one, other = (resample_metrics(SEVERAL, scores, multi_label=True)["macro_f1"] for scores in (SCORES, SCORES**2))
    np.testing.assert_allclose(resample_f1_difference(SEVERAL, SCORES, SCORES**2), one - other)
    monkeypatch.setattr(bootstrap, "MAX_CELLS", 1)
    assert resample_f1_difference(SEVERAL, SCORES, SCORES) is None
