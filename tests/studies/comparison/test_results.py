from dataclasses import asdict

import numpy as np
import pytest

from tests.studies.comparison.comparisons import make_box_result, make_result
from tl_keras.studies.comparison.results import RESAMPLES, BoxResult, ClassResult, resample_examples


def test_a_classifier_is_resampled_by_its_examples():
    result = make_result(0.75, num_test=40)
    counts = resample_examples(np.random.default_rng(0), 40)
    scores = result.resampled(counts)
    assert counts.shape == (RESAMPLES, 40) and set(counts.sum(axis=1)) == {40}
    assert np.mean(scores) == pytest.approx(0.75, abs=0.02)
    assert np.std(scores) == pytest.approx(np.sqrt(0.75 * 0.25 / 40), rel=0.1)


def test_the_margin_of_detectors_is_that_of_the_paired_bootstrap():
    pairs = [(make_box_result(0.6, noise=0.04), make_box_result(0.4, noise=0.04, seed=1))]
    expected = 1.96 * 0.04 * np.sqrt(2)
    assert BoxResult.margin(pairs) == pytest.approx(expected, rel=0.1)
    assert BoxResult.margin([(pairs[0][0], pairs[0][0])]) == 0, "paired"
    few = [tuple(make_box_result(0.5, num_test=5, noise=0.04, seed=seed) for seed in (0, 1))]
    assert BoxResult.margin(few) == pytest.approx(2.776 / 1.96 * np.sqrt(5 / 4) * expected, rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"test_images": 99},
        {"average_precision_50": 1.5},
        {"mean_average_precision": None},
        {"resampled_precisions": [0.5] * (RESAMPLES - 1)},
        {"resampled_precisions": ["0.5"] * RESAMPLES},
        {"resampled_precisions": [float("nan")] * RESAMPLES},
        {"steps": -1},
        {"labels": 0},
        {"labels": 10**20},
        {"cpu_seconds": 1e308},
        {"more": 1},
    ],
)
def test_a_damaged_result_of_a_detector_is_noticed(change):
    values = asdict(make_box_result(0.5))
    assert BoxResult.is_valid(values, 100) and not ClassResult.is_valid(values, 100)
    assert not BoxResult.is_valid(values | change, 100)
