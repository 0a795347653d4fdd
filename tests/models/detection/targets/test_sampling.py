import keras
import numpy as np
import pytest

from tl_keras.models.detection.targets.sampling import sample_balanced


def kinds(positive, negative, ignored):
    row = np.repeat([1, 0, -1], [positive, negative, ignored])
    return np.random.default_rng(0).permutation(row).astype("int32")[None]


@pytest.mark.parametrize(
    "positive, negative, expected",
    [(30, 60, (8, 24)), (3, 60, (3, 29)), (0, 60, (0, 32)), (30, 5, (8, 5)), (0, 0, (0, 0))],
)
def test_at_most_the_positive_share_are_objects_and_background_fills_the_rest(positive, negative, expected):
    row = kinds(positive, negative, 10)
    row = np.pad(row, ((0, 0), (0, 100 - row.shape[1])), constant_values=-1)
    indices, is_sampled = map(np.asarray, sample_balanced(row, 32, 0.25, seed=1))
    assert indices.shape == is_sampled.shape == (1, 32)
    drawn = indices[0][is_sampled[0]]
    assert len(set(drawn)) == len(drawn)
    assert ((row[0, drawn] == 1).sum(), (row[0, drawn] == 0).sum()) == expected
    assert is_sampled[0].tolist() == sorted(is_sampled[0], reverse=True)


def test_samples_are_random_and_reproducible_by_seed():
    row = kinds(30, 60, 0)
    generator = keras.random.SeedGenerator(0)
    first, second = (np.asarray(sample_balanced(row, 32, 0.25, generator)[0]) for _ in range(2))
    assert set(first[0]) != set(second[0])
    again = np.asarray(sample_balanced(row, 32, 0.25, keras.random.SeedGenerator(0))[0])
    np.testing.assert_array_equal(again, first)


def test_every_candidate_has_the_same_probability():
    indices, is_sampled = sample_balanced(np.zeros((400, 20), "int32"), 5, 0.5, seed=0)
    counts = np.bincount(np.asarray(indices)[np.asarray(is_sampled)], minlength=20)
    assert counts.min() > 70 and counts.max() < 130  # 100 each


def test_fewer_candidates_than_samples_are_supported():
    indices, is_sampled = sample_balanced(kinds(1, 2, 0), 32, 0.5, seed=0)
    assert indices.shape == (1, 3) and np.asarray(is_sampled).sum() == 3
