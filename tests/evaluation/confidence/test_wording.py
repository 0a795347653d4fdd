import pytest

from tl_keras.evaluation.confidence.wording import (
    describe_confidence,
    describe_confidence_changes,
    describe_coverage,
    describe_temperature,
)

FIT = {
    "value": 1.314,
    "examples": 240,
    "loss": 0.53,
    "gain": 0.0212,
    "error": 0.0101,
    "min_examples": 30,
    "min_errors": 1,
}
CHOSEN = {
    "min_confidence": 0.623,
    "chosen_on": "held-out",
    "chosen_from": 240,
    "chosen_wrong": 20,
    "kept": 80,
    "right": 76,
    "examples": 100,
}


def test_says_whether_a_temperature_is_applied_and_what_it_gains():
    applied = describe_temperature({"temperature": 1.314, "fit": FIT})
    assert "divided by 1.31" in applied and "change their log-loss of 0.530 by -0.0212 ± 0.0101" in applied
    assert "none is applied. The one fitted to 240" in describe_temperature({"temperature": 1.0, "fit": FIT})
    assert "were held out from the final model" in describe_temperature({"temperature": 1.0})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"examples": 29}, "but 29 examples are too few, at least 30 are needed."),
        ({"gain": -0.01}, "which is no gain."),
        ({"gain": -0.2206, "examples": 29}, "which is no gain."),
        ({"gain": 0.01}, "a gain of no more than its standard error."),
        ({"value": 0.8, "gain": 0.02, "min_examples": 200, "min_errors": 2}, "no more than 2 of its standard errors."),
    ],
)
def test_says_the_one_reason_why_no_temperature_is_applied(change, reason):
    assert describe_temperature({"temperature": 1.0, "fit": FIT | change}).endswith(reason)


def test_says_the_one_reason_why_no_confidence_is_recommended():
    none = CHOSEN | {"min_confidence": None}
    assert describe_coverage(none).endswith("because none halves the share of mistakes, 20 of 240 held-out examples.")
    few = describe_coverage(none | {"chosen_wrong": 4})
    assert few.endswith("because only 4 of 240 held-out examples are wrong, fewer than 5.")
    one = describe_coverage(none | {"chosen_wrong": 1})
    assert one.endswith("because only 1 of 240 held-out examples is wrong, fewer than 5.")
    assert describe_coverage(none | {"chosen_wrong": 0}).endswith("because none of 240 held-out examples is wrong.")


def test_says_what_remains_above_the_recommended_confidence():
    sentence = describe_coverage(CHOSEN)
    assert sentence.startswith("Unsure below 0.62, chosen on 240 held-out examples")
    assert "80 of 100 test examples" in sentence and "95.0 % (87.8 % to 98.0 %)" in sentence
    assert "no confidence is recommended" in describe_coverage(CHOSEN | {"min_confidence": None})
    assert describe_coverage({"temperature": 1.0}) == ""
    tested_again = {name: CHOSEN[name] for name in ("min_confidence", "kept", "right", "examples")}
    assert describe_coverage(tested_again).startswith("Unsure below 0.62, as the run recommends: 80 of 100")


def test_lists_what_is_known():
    assert len(describe_confidence({"temperature": 1.0} | CHOSEN)) == 2
    assert describe_confidence({}) == []
    assert "0.0 %" in describe_coverage(CHOSEN | {"kept": 0, "right": 0})


def test_the_terminal_says_only_what_was_changed_or_is_recommended():
    assert describe_confidence_changes({}) == []
    assert describe_confidence_changes({"temperature": 1.0, "fit": FIT} | CHOSEN | {"min_confidence": None}) == []
    unsure, scaled = describe_coverage(CHOSEN), {"temperature": 1.314, "fit": FIT}
    assert describe_confidence_changes({"temperature": 1.0} | CHOSEN) == [unsure]
    assert describe_confidence_changes(scaled | CHOSEN) == [describe_temperature(scaled), unsure]
