import pytest

from tests.studies.comparison.comparisons import make_comparison
from tl_keras.studies.comparison.figures import Gain
from tl_keras.studies.comparison.verdict import describe_labels, judge, verdict


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.3, "pays"), (-0.3, -0.01, "harms"), (-0.02, 0.015, "equal"), (-0.05, 0.1, "open")],
)
def test_a_gain_is_judged_by_its_interval(low, high, expected):
    assert judge(Gain((low + high) / 2, low, high, 5)) == expected


def test_transfer_that_pays_says_how_many_labels_it_saves():
    text = verdict(make_comparison({"auto": (0.6, 0.8, 0.9), "scratch": (0.3, 0.4, 0.5)}))
    assert text.startswith("Transfer pays with 5 and 20 labels a class and all labels: +30.0 points (")
    assert "50 labels reach what takes more than the 400 labels that were measured from scratch." in text


def test_each_number_of_labels_is_judged_on_its_own():
    text = verdict(make_comparison({"auto": (0.6, 0.5, 0.5), "scratch": (0.3, 0.5, 0.8)}, num_test=1000))
    assert text.startswith("Transfer pays with 5 labels a class: +30.0 points")
    assert "; negative transfer with all labels: -30.0 points (" in text
    assert "; no benefit with 20 labels a class: the difference is below 2 points." in text


def test_a_difference_within_the_noise_is_left_open():
    text = verdict(make_comparison({"auto": (0.55, 0.5, 0.5), "scratch": (0.5, 0.5, 0.5)}, num_test=40))
    assert text.startswith(
        "With 5 and 20 labels a class and all labels it cannot be decided with 40 test examples (+5.0"
    )


def test_what_was_not_measured_is_said_and_not_made_up():
    nothing = (None, None, None)
    assert "no training from scratch is among the finished cells" in verdict(make_comparison({"auto": (0.5,) * 3}))
    assert "no training from scratch" in verdict(make_comparison({"auto": (0.5,) * 3, "scratch": nothing}))
    assert "no method with pretrained weights" in verdict(make_comparison({"scratch": (0.5,) * 3}))
    assert "cannot be decided with 12 test examples" in verdict(
        make_comparison({"auto": (0.9,) * 3, "scratch": (0.1,) * 3}, num_test=12)
    )
    apart = make_comparison({"auto": (0.5, None, None), "scratch": (None, 0.5, None)})
    assert "no cell from scratch has the labels of one with transfer" in verdict(apart)


def test_ranges_of_labels_are_words():
    comparison = make_comparison({"auto": (0.5,) * 3, "scratch": (0.4,) * 3})
    ranges = {
        (50, 50): "at most 50 labels",
        (80, 120.4): "80 to 120 labels",
        (80, 80): "80 labels",
        (80, float("inf")): "80 labels to more than the 400 that were measured",
    }
    assert {needed: describe_labels(comparison, needed) for needed in ranges} == ranges
