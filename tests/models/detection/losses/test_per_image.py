import numpy as np
import pytest

from tl_keras.models.detection.losses.per_image import focal_cross_entropy, l1_loss, mean_of_sample

GENERATOR = np.random.default_rng(0)


def test_l1_loss_sums_absolute_differences():
    first, second = GENERATOR.normal(size=(2, 3, 5, 4)).astype("float32")
    np.testing.assert_allclose(l1_loss(first, second), np.abs(first - second).sum(-1), rtol=1e-5)


@pytest.mark.parametrize("alpha, gamma", [(0.25, 2.0), (0.5, 0.0)])
def test_focal_loss_equals_equation_5(alpha, gamma):
    logits = GENERATOR.normal(0, 3, 50).astype("float32")
    targets = GENERATOR.integers(0, 2, 50).astype("float32")
    probability = 1 / (1 + np.exp(-logits))
    right = np.where(targets == 1, probability, 1 - probability)
    weight = np.where(targets == 1, alpha, 1 - alpha)
    expected = -weight * (1 - right) ** gamma * np.log(right)
    np.testing.assert_allclose(focal_cross_entropy(logits, targets, alpha=alpha, gamma=gamma), expected, rtol=1e-3)


def test_focal_loss_is_finite_for_extreme_logits():
    assert np.isfinite(focal_cross_entropy(np.array([-200.0, 200.0], "float32"), np.array([1.0, 0.0], "float32"))).all()


def test_mean_of_sample_ignores_other_values():
    values = np.array([[1, 2, np.nan], [5, 6, 7]], "float32")
    is_sampled = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_array_equal(mean_of_sample(values, is_sampled), [1.5, 0])
