import numpy as np
import pytest

from tests.studies.comparison.comparisons import make_comparison


def test_means_and_spreads_are_over_draws():
    comparison = make_comparison({"auto": (0.7, 0.8, 0.9), "scratch": (0.4, 0.5, None)})
    assert comparison.mean("auto", "5", "accuracy") == pytest.approx(0.7)
    assert comparison.spread("auto", "5") == pytest.approx(0.01)
    assert comparison.mean("scratch", "all", "accuracy") is None
    assert comparison.mean("auto", "5", "joules") is None
    assert make_comparison({"auto": (0.7, 0.8, 0.9)}, draws=1).spread("auto", "5") is None


def test_the_gain_is_paired_and_its_interval_counts_draws_and_test_examples():
    comparison = make_comparison({"auto": (0.7, 0.8, 0.9), "scratch": (0.4, 0.8, 0.9)})
    gain = comparison.gain("auto", "5")
    # The same order of examples decides both, so that the difference varies over examples as 0.3 of them do.
    margin = 1.96 * np.sqrt(0.3 * 0.7 / 200)
    assert gain.mean == pytest.approx(0.3) and gain.draws == 3
    assert gain.high - gain.mean == pytest.approx(margin, rel=0.05)
    same = comparison.gain("auto", "20")
    assert same.mean == 0 and same.high == pytest.approx(1.96 * 0.5 / 200, rel=1e-3), "no finer than half an example"


def test_only_common_draws_are_compared():
    comparison = make_comparison({"auto": (0.7, 0.8, 0.9), "scratch": (0.4, 0.5, None)})
    assert comparison.gain("auto", "all") is None
    assert comparison.budgets_of("auto", "scratch") == ("5", "20")


def test_the_verdict_is_about_auto_and_never_about_the_best():
    assert make_comparison({"solved_head": (0.9,) * 3, "auto": (0.1,) * 3}).transfer == "auto"
    assert make_comparison({"solved_head": (0.9,) * 3, "fine_tuning": (0.95,) * 3}).transfer == "solved_head"
    without = make_comparison({"scratch": (0.5,) * 3})
    assert without.transfer is None and without.reference == "scratch"
    assert make_comparison({"auto": (0.5,) * 3}).reference is None


def test_labels_saved_are_read_off_the_curve_from_scratch():
    comparison = make_comparison({"auto": (0.6, 0.8, 0.97), "scratch": (0.4, 0.6, 0.8)}, num_test=1000)
    low, high = comparison.labels_needed("auto", "5")
    assert 150 < low < 201 and 199 < high < 260
    assert comparison.labels_needed("auto", "all") == (np.inf, np.inf)
    assert make_comparison({"auto": (0.6, 0.7, 0.8)}).labels_needed("auto", "5") is None


def test_next_labels_lie_within_twice_what_was_measured():
    comparison = make_comparison({"auto": (0.6, 0.75, 0.8)}, num_test=1000)
    ranges = comparison.next_labels("auto")
    assert list(ranges) == [50, 100, 200]
    assert all(0.77 < low < high < 0.87 for low, high in ranges.values()), ranges
    assert make_comparison({"auto": (0.6, None, None)}).next_labels("auto") == {}


def test_the_cheapest_training_that_reaches_the_best_from_scratch_is_found():
    comparison = make_comparison({"auto": (0.6, 0.75, 0.8), "scratch": (0.4, 0.6, 0.7)})
    assert comparison.target == pytest.approx(0.7)
    assert comparison.cheapest("auto") == "20" and comparison.cheapest("scratch") == "all"
    assert make_comparison({"auto": (0.1, 0.1, 0.1), "scratch": (0.4, 0.6, 0.7)}).cheapest("auto") is None
