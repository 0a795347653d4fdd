import numpy as np
from sklearn.linear_model import LogisticRegression

from tl_keras.evaluation.baselines.logistic import logistic_probabilities

FEATURES = np.random.default_rng(0).normal(size=(30, 3))
LABELS = (FEATURES[:, 0] > 0).astype(int)


def test_a_class_without_examples_gets_probability_zero():
    probabilities = logistic_probabilities(FEATURES, 2 * LABELS, FEATURES, 4, strength=0.5)
    expected = LogisticRegression(C=0.5).fit(FEATURES, LABELS).predict_proba(FEATURES)
    np.testing.assert_allclose(probabilities[:, [0, 2]], expected)
    assert not probabilities[:, [1, 3]].any()


def test_labels_that_are_constant_in_training_stay_so():
    labels = np.stack([LABELS, np.ones(30, int), np.zeros(30, int)], axis=1)
    probabilities = logistic_probabilities(FEATURES, labels, FEATURES, 3, multi_label=True)
    assert (probabilities[:, 1] == 1).all() and (probabilities[:, 2] == 0).all()
    np.testing.assert_allclose(probabilities[:, 0], logistic_probabilities(FEATURES, LABELS, FEATURES, 2)[:, 1])
