import numpy as np
import pytest

from tl_keras import probing
from tl_keras.probing import label_selection


def unit(points):
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype("float32")


@pytest.fixture
def blobs():
    """Points of four clusters, 30 each, far from each other."""
    generator = np.random.default_rng(0)
    return unit(np.repeat(8 * np.eye(8)[:4], 30, axis=0) + generator.normal(0, 1, (120, 8)))


def test_a_typical_example_of_each_cluster_is_chosen(blobs):
    rows = probing.select_typical(blobs, 4)
    assert sorted(rows // 30) == [0, 1, 2, 3]
    for row in rows:
        members = blobs[row // 30 * 30 :][:30]
        distances = np.sqrt(np.maximum(2 - 2 * members @ members.T, 0))
        means = np.sort(distances, axis=1)[:, 1 : 1 + label_selection.NEIGHBOURS].mean(axis=1)
        assert means.argmin() == row % 30, "equation 4: the inverse of the mean distance is the largest"


def test_uncertain_examples_of_every_cluster_are_chosen(blobs):
    probabilities = np.tile([0.95, 0.05], (120, 1))
    uncertain = [0, 1, 2, 30, 31, 32, 60, 61, 62, 90, 91, 92]
    probabilities[uncertain] = [0.55, 0.45]
    rows = probing.select_uncertain(blobs, probabilities, 4)
    assert set(rows) <= set(uncertain) and sorted(rows // 30) == [0, 1, 2, 3]


def test_uncertainty_is_one_minus_the_margin():
    np.testing.assert_allclose(probing.uncertainty(np.array([[0.6, 0.3, 0.1], [0, 0.5, 0.5]])), [0.7, 1])


def test_near_duplicates_of_chosen_and_known_examples_are_left_out(blobs):
    distinct = blobs[[0, 30, 60, 90]]
    twice = np.concatenate([distinct, distinct])
    assert sorted(probing.select_typical(twice, 8) % 4) == [0, 1, 2, 3]
    assert sorted(probing.select_typical(distinct, 4, known=distinct[:2])) == [2, 3]
    assert sorted(probing.select_uncertain(distinct, np.full((4, 2), 0.5), 4, known=distinct[:2])) == [2, 3]


def test_where_uncertain_examples_are_all_equal_certain_ones_follow(blobs):
    points = np.concatenate([np.repeat(blobs[:1], 20, axis=0), blobs[[30, 60, 90]]])
    probabilities = np.tile([0.5, 0.5], (23, 1))
    probabilities[20:] = [0.9, 0.1]
    assert sorted(probing.select_uncertain(points, probabilities, 4))[1:] == [20, 21, 22]


def test_large_pools_are_clustered_by_a_sample(blobs, monkeypatch):
    monkeypatch.setattr(label_selection, "MAX_FIT", 40)
    assert sorted(probing.select_typical(blobs, 4) // 30) == [0, 1, 2, 3]
