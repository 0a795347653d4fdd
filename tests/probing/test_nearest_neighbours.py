import numpy as np

from tl_keras import probing


def test_neighbours_find_directions_and_not_lengths():
    generator = np.random.default_rng(0)
    labels = np.arange(40) % 2
    directions = np.where(labels[:, None] == 0, [1.0, 0.0], [0.0, 1.0]) + generator.normal(0, 0.1, (40, 2))
    features = directions * generator.uniform(0.1, 100, (40, 1))
    folds = probing.make_folds(labels)
    assert probing.neighbour_accuracy(features, labels, folds) == 1
    assert probing.neighbour_accuracy(features, generator.permutation(labels), folds) < 0.8


def test_few_examples_have_few_neighbours():
    features, labels = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1]]), np.array([0, 1, 0])
    assert probing.neighbour_accuracy(features, labels, [(np.array([0, 1]), np.array([2]))]) == 1
