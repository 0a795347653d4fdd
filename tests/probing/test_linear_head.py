import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tl_keras.probing.linear_head import LogisticFits, Standardization, on_raw_features, to_probabilities

GENERATOR = np.random.default_rng(0)
CENTRES = GENERATOR.normal(size=(3, 40))


def make_examples(count, num_classes=3):
    labels = np.arange(count) % num_classes
    return CENTRES[labels] + GENERATOR.normal(size=(count, 40)), labels


@pytest.mark.parametrize("count", [24, 90])
def test_the_rotation_to_the_span_of_the_examples_does_not_change_the_solution(count):
    features, labels = make_examples(count)
    head = LogisticFits(features, labels, 3).fit(0.1)
    reference = LogisticRegression(C=0.1, tol=1e-8, max_iter=5000).fit(features, labels)
    others = GENERATOR.normal(size=(20, 40))
    np.testing.assert_allclose(head.probabilities(others), reference.predict_proba(others), atol=5e-3)


def test_two_classes_get_a_column_each_with_the_probabilities_of_scikit_learn():
    features, labels = make_examples(20, 2)
    reference = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(features, labels)
    head = LogisticFits(features, labels, 2).fit(1.0)
    np.testing.assert_allclose(head.probabilities(features), reference.predict_proba(features), atol=5e-3)


def test_a_later_fit_does_not_depend_on_the_one_before():
    features, labels = make_examples(60)
    fits = LogisticFits(features, labels, 3)
    fits.fit(0.01)
    alone = LogisticFits(features, labels, 3).fit(1.0)
    np.testing.assert_allclose(fits.fit(1.0).probabilities(features), alone.probabilities(features), atol=5e-3)


def test_a_class_without_an_example_is_never_predicted():
    features, labels = make_examples(20, 2)
    probabilities = LogisticFits(features, labels, 4).fit(1.0).probabilities(features)
    assert probabilities[:, 2:].max() < 1e-6


def test_a_single_class_is_always_predicted():
    features, _ = make_examples(5)
    probabilities = LogisticFits(features, np.full(5, 1), 3).fit(1.0).probabilities(features)
    assert probabilities[:, 1].min() > 0.999


def test_labels_that_are_always_or_never_there_get_a_constant_probability():
    features, labels = make_examples(30)
    several = np.stack([labels == 0, np.ones(30), np.zeros(30)], axis=1).astype("uint8")
    head = LogisticFits(features, several, 3).fit(1.0)
    probabilities = head.probabilities(GENERATOR.normal(size=(4, 40)))
    np.testing.assert_allclose(probabilities[:, 1], 31 / 32)
    np.testing.assert_allclose(probabilities[:, 2], 1 / 32)
    reference = LogisticRegression(tol=1e-8, max_iter=5000).fit(features, several[:, 0]).predict_proba(features)
    np.testing.assert_allclose(head.probabilities(features)[:, 0], reference[:, 1], atol=5e-3)


def test_balanced_class_weights_lift_the_rare_class():
    features, labels = np.zeros((10, 2)), np.array([0] * 9 + [1])
    plain, balanced = (LogisticFits(features, labels, 2, weight).fit(100.0) for weight in (None, "balanced"))
    assert plain.probabilities(features[:1])[0, 1] < 0.2
    assert balanced.probabilities(features[:1])[0, 1] == pytest.approx(0.5, abs=1e-3)


def test_standardized_features_have_mean_zero_and_squared_length_one():
    features = GENERATOR.normal(3, [1.0, 5.0, 0.1, 7.0], size=(50, 4))
    standardized = Standardization.of(features, np.array([0, 0, 1, 1]))(features)
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-12)
    assert np.mean(np.sum(standardized**2, axis=1)) == pytest.approx(1)


def test_an_almost_constant_feature_stays_small_on_new_examples():
    features = np.stack([np.linspace(-1, 1, 10), np.full(10, 1e-6) * np.arange(10)], axis=1)
    new = Standardization.of(features, np.zeros(2, int))(np.array([[0.0, 1.0]]))
    assert np.abs(new).max() < 10


def test_constant_features_get_no_weight():
    standardization = Standardization.of(np.full((4, 2), 7.0), np.zeros(2, int))
    assert (standardization(np.array([[1.0, 2.0]])) == 0).all()


def test_a_folded_standardization_gives_the_same_logits_on_raw_features():
    features, labels = make_examples(30)
    standardization = Standardization.of(features, np.zeros(40, int))
    head = LogisticFits(standardization(features), labels, 3).fit(1.0)
    folded = on_raw_features(head, standardization)
    np.testing.assert_allclose(folded.logits(features), head.logits(standardization(features)), atol=1e-9)


def test_probabilities_of_extreme_logits_are_finite():
    logits = np.array([[1e4, -1e4], [-1e4, -1e4]])
    np.testing.assert_allclose(to_probabilities(logits, multi_label=False), [[1, 0], [0.5, 0.5]])
    assert np.isfinite(to_probabilities(logits, multi_label=True)).all()
