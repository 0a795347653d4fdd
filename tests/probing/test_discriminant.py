import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tl_keras.probing.discriminant import MEDIUM_PENALTY, DiscriminantFits

GENERATOR = np.random.default_rng(0)
CENTRES = GENERATOR.normal(size=(4, 6))


def make_examples(count):
    labels = np.arange(count) % 4
    return CENTRES[labels] + 0.7 * GENERATOR.normal(size=(count, 6)), labels


def test_without_shrinkage_it_is_the_discriminant_of_scikit_learn():
    features, labels = make_examples(200)
    reference = LinearDiscriminantAnalysis(solver="lsqr").fit(features, labels)
    head = DiscriminantFits(features, labels, 4).fit(1e12)
    np.testing.assert_allclose(head.probabilities(features), reference.predict_proba(features), atol=1e-6)


def test_the_ridge_is_that_of_the_formula():
    features, labels = make_examples(40)
    head = DiscriminantFits(features, labels, 4).fit(MEDIUM_PENALTY)
    means = np.stack([features[labels == label].mean(axis=0) for label in range(4)])
    centred = features - means[labels]
    shrunk = centred.T @ centred / 40 + features.var(axis=0).mean() * np.eye(6)
    np.testing.assert_allclose(head.weights, np.linalg.solve(shrunk, means.T), rtol=1e-6)


def test_strong_shrinkage_is_the_nearest_mean():
    features, labels = make_examples(200)
    head = DiscriminantFits(features, labels, 4).fit(1e-3)
    nearest = ((features[:, np.newaxis] - CENTRES) ** 2).sum(axis=2).argmin(axis=1)
    assert (head.logits(features).argmax(axis=1) == nearest).mean() > 0.95


def test_a_class_without_an_example_is_never_predicted():
    features, labels = make_examples(20)
    assert DiscriminantFits(features, labels, 6).fit(10.0).probabilities(features)[:, 4:].max() < 1e-6


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_examples_than_features_can_be_solved(count):
    features, labels = make_examples(count)
    assert np.isfinite(DiscriminantFits(features, labels, 4).fit(1.0).weights).all()
