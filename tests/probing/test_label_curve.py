import numpy as np
import pytest

from tl_keras.probing.label_curve import fit_label_curve

LABELS = np.array([25, 50, 100, 250, 500])


def piecewise(labels, switch=100):
    """Computes an error that falls ever faster up to a number of labels, and as a power law from there."""
    x = np.log(labels / switch)
    return 0.3 * np.exp(-0.4 * x - 0.15 * np.minimum(0, x) ** 2)


def noisy(errors, resamples=200, scale=0.03):
    return errors * np.exp(np.random.default_rng(0).normal(0, scale, (resamples, len(errors))))


def test_a_curve_without_noise_is_found_and_continued():
    curve = fit_label_curve(LABELS, [piecewise(LABELS)])
    np.testing.assert_allclose(curve.error_range(1000), piecewise(1000.0), rtol=1e-6)
    np.testing.assert_allclose(curve.coefficients[0][[1, 2, 3]], [-0.4, -0.15, np.log(100)], rtol=1e-6)


def test_the_range_of_noisy_curves_holds_the_true_error():
    low, high = fit_label_curve(LABELS, noisy(piecewise(LABELS))).error_range(900)
    assert low < piecewise(900.0) < high < piecewise(500.0) * 1.1


def test_a_power_law_through_few_labels_promises_less_than_the_piecewise_one():
    truth = piecewise(LABELS)
    straight = fit_label_curve(LABELS[[0, 1, 2]], truth[np.newaxis, :3]).error_range(200)[0]
    bent = fit_label_curve(LABELS, truth[np.newaxis]).error_range(200)[0]
    assert abs(np.log(bent / piecewise(200.0))) < 0.1 * abs(np.log(straight / piecewise(200.0)))


def test_nothing_is_predicted_beyond_twice_what_was_measured():
    curve = fit_label_curve(LABELS, [piecewise(LABELS)])
    assert curve.error_range(1000) and curve.error_range(1001) is None


def test_a_rising_tail_is_continued_flat():
    low, high = fit_label_curve([10, 20, 40], [[0.2, 0.3, 0.4]]).error_range(80)
    assert low == high == pytest.approx(0.4, rel=0.1)


def test_labels_are_interpolated_between_measured_numbers():
    curve = fit_label_curve([10, 40, 160], [[0.4, 0.2, 0.1]])
    assert curve.labels_needed([0.2]) == pytest.approx((40, 40))
    # Half of the way in both logarithms.
    assert curve.labels_needed([np.sqrt(0.02)]) == pytest.approx((80, 80))


def test_labels_outside_of_what_was_measured_are_not_guessed():
    curve = fit_label_curve([10, 40], [[0.4, 0.2], [0.4, 0.3]])
    assert curve.labels_needed([0.5, 0.5]) == (10, 10)
    assert curve.labels_needed([0.1, 0.1]) == (np.inf, np.inf)
    low, high = curve.labels_needed([0.25, 0.25])
    assert 10 < low < 40 and high == np.inf
