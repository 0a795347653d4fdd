import numpy as np
import pytest

from tl_keras import probing


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_changed_labels_are_found_and_confident():
    generator = np.random.default_rng(0)
    true = np.arange(300) % 3
    probabilities = softmax(generator.normal(0, 0.5, (300, 3)) + 4 * np.eye(3)[true])
    labels = true.copy()
    labels[:30] = (true[:30] + 1) % 3
    errors = probing.find_label_errors(probabilities, labels)
    assert set(errors.rows) == set(range(30)) and errors.confident.all()
    assert (errors.suggested == true[errors.rows]).all()


def test_the_order_is_that_of_the_probability_relative_to_the_threshold():
    generator = np.random.default_rng(1)
    probabilities, labels = softmax(generator.normal(0, 1, (60, 3))), np.arange(60) % 3
    errors = probing.find_label_errors(probabilities, labels)
    thresholds = np.array([probabilities[labels == one, one].mean() for one in range(3)])
    ratios = probabilities / thresholds
    np.testing.assert_array_equal(errors.rows, sorted(errors.rows, key=lambda row: ratios[row, labels[row]]))
    assert set(np.flatnonzero(ratios.argmax(axis=1) != labels)) <= set(errors.rows)
    for row, suggested, confident in zip(errors.rows, errors.suggested, errors.confident, strict=True):
        reached = np.flatnonzero(probabilities[row] >= thresholds)
        best = reached[probabilities[row, reached].argmax()] if reached.size else labels[row]
        assert confident == (best != labels[row]) and (not confident or suggested == best)


def test_a_class_of_low_probabilities_has_a_low_threshold():
    # By the argmax alone, both examples of class 1 would be suspicious.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    assert probing.find_label_errors(probabilities, np.array([0, 0, 1, 1])).rows.size == 0


def test_a_class_without_examples_is_never_suggested():
    probabilities = np.array([[0.1, 0.1, 0.8], [0.2, 0.7, 0.1]])
    assert 2 not in probing.find_label_errors(probabilities, np.array([0, 1])).suggested


def test_out_of_fold_probabilities_are_means_over_repeated_folds():
    generator, labels = np.random.default_rng(0), np.append(np.arange(40) % 2, 2)
    features = (generator.normal(0, 1, (41, 4)) + 3 * labels[:, np.newaxis]).astype("float32")
    everything = probing.FeatureSet("all", np.arange(4), np.zeros(4, int))
    folds = probing.make_folds(labels, every=True)
    both, *halves = (
        probing.out_of_fold_probabilities(features, labels, 3, everything, 10.0, part)
        for part in (folds[:10], folds[:5], folds[5:10])
    )
    np.testing.assert_allclose(both, np.mean(halves, axis=0))
    assert both[-1] == pytest.approx([0, 0, 1]), "the only example of its class keeps its label"
    assert (both.argmax(axis=1) == labels).mean() > 0.9
