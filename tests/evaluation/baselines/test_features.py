import numpy as np
import pytest

from tl_keras.evaluation.baselines import features
from tl_keras.evaluation.baselines.features import LAST_LAYER, NEAREST_MEAN, feature_baseline
from tl_keras.evaluation.baselines.logistic import logistic_probabilities

NAMES = ("a", "b", "c")


def clouds(per_class, channels=20, spread=0.5, seed=0):
    """Returns the features and labels of three classes around three points."""
    centers = np.random.default_rng(7).normal(size=(3, channels))
    labels, generator = np.repeat(np.arange(3), per_class), np.random.default_rng(seed)
    return centers[labels] + spread * generator.normal(size=(3 * per_class, channels)), labels


TEST = clouds(20, seed=1)


@pytest.mark.parametrize("per_class", [1, 2, 12])
def test_separable_classes_are_learned_from_few_examples(per_class):
    baseline = feature_baseline(*clouds(per_class), *TEST, NAMES)
    assert baseline.name == LAST_LAYER
    assert baseline.metrics["accuracy"] >= 0.9


def test_constant_channels_and_channels_of_any_scale_are_standardized():
    (train, labels), (test, test_labels) = clouds(12), TEST
    scales = 10.0 ** np.arange(-10, 10)
    scaled = [np.append(values * scales + 5 * scales, np.ones((len(values), 1)), axis=1) for values in (train, test)]
    one = feature_baseline(train, labels, test, test_labels, NAMES)
    other = feature_baseline(scaled[0], labels, scaled[1], test_labels, NAMES)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)


def test_fewer_examples_than_channels_are_rotated_without_effect(monkeypatch):
    monkeypatch.setattr(features, "STRENGTHS", (0.1,))
    (train, labels), (test, test_labels) = clouds(4), TEST
    baseline = feature_baseline(train, labels, test, test_labels, NAMES)
    plain = [(values - train.mean(axis=0)) / train.std(axis=0) for values in (train, test)]
    expected = logistic_probabilities(plain[0], labels, plain[1], 3, strength=0.1)
    np.testing.assert_allclose(baseline.probabilities, expected, atol=1e-3)


@pytest.mark.parametrize(("spread", "is_weak"), [(0.1, False), (20.0, True)])
def test_the_penalty_is_chosen_by_log_loss(spread, is_weak):
    values, labels = clouds(12, spread=spread)
    standardized, _ = features._standardize(values, values)
    chosen = features._choose_strength(standardized, labels, 3, multi_label=False)
    assert (chosen <= 1e-3) == is_weak


def test_class_means_stand_for_a_regression_of_many_classes(monkeypatch, recwarn):
    monkeypatch.setattr(features, "MANY_CLASSES", 3)
    monkeypatch.setattr(features, "logistic_probabilities", None)
    train, labels = clouds(3)
    seen = labels != 1
    baseline = feature_baseline(train[seen], labels[seen], *TEST, NAMES)
    assert baseline.name == NEAREST_MEAN
    assert (baseline.probabilities[TEST[1] != 1].argmax(axis=1) == TEST[1][TEST[1] != 1]).mean() > 0.9
    assert (baseline.probabilities[:, 1] == 0).all()
    assert not recwarn.list


def test_a_rare_class_does_not_prevent_cross_validation(recwarn):
    values, labels = clouds(6)
    kept = np.append(np.arange(12), 12)
    baseline = feature_baseline(values[kept], labels[kept], *TEST, NAMES)
    assert baseline.metrics["accuracy"] > 0.6
    assert not recwarn.list


def test_two_classes_are_needed_for_cross_validation():
    assert features._folds(np.array([0, 0, 0, 1])) == []
    assert len(features._folds(np.array([0, 0, 1, 1, 2]))) == 2
    assert len(features._folds(np.array([0, 0, 0, 1, 1, 1]))) == 3


def test_multi_label_features():
    (train, labels), (test, test_labels) = clouds(12), TEST
    eye = np.eye(3, dtype=int)
    baseline = feature_baseline(train, eye[labels], test, eye[test_labels], NAMES, multi_label=True)
    assert baseline.metrics["macro_f1"] > 0.8


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_sample_stands_for_too_many_examples_and_the_name_says_so(monkeypatch, multi_label):
    monkeypatch.setattr(features, "MAX_EXAMPLES", 12)
    values, labels = clouds(30)
    counts = np.bincount(labels[features._stratified_rows(labels)])
    labels, test_labels = (np.eye(3, dtype=int)[one] if multi_label else one for one in (labels, TEST[1]))
    baseline = feature_baseline(values, labels, TEST[0], test_labels, NAMES, multi_label)
    assert baseline.name == f"{LAST_LAYER} (12 of 90 training examples)"
    assert counts.tolist() == [4, 4, 4]
