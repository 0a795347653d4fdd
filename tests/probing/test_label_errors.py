import numpy as np

from tl_keras import probing


def test_changed_labels_are_found_and_the_clearest_comes_first():
    generator = np.random.default_rng(0)
    true = np.arange(300) % 3
    logits = generator.normal(0, 0.5, (300, 3)) + 4 * np.eye(3)[true]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = true.copy()
    labels[:30] = (true[:30] + 1) % 3
    rows, suggested = probing.find_label_errors(probabilities, labels)
    assert set(rows) == set(range(30))
    assert (suggested == true[rows]).all()
    excess = probabilities[rows, suggested] - probabilities[rows, labels[rows]]
    assert (np.diff(excess) <= 0).all()


def test_a_class_of_low_probabilities_has_a_low_threshold():
    # By the argmax alone, both examples of class 1 would be suspicious.
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    rows, _ = probing.find_label_errors(probabilities, np.array([0, 0, 1, 1]))
    assert rows.size == 0


def test_a_class_without_examples_is_never_suggested():
    probabilities = np.array([[0.1, 0.1, 0.8], [0.2, 0.7, 0.1]])
    rows, suggested = probing.find_label_errors(probabilities, np.array([0, 1]))
    assert 2 not in suggested
