import pytest

from tl_keras.errors import InputError
from tl_keras.tasks.unsure import check_unsure, decide, parse_confidence


@pytest.mark.parametrize(("text", "value"), [("0.8", 0.8), ("0", 0.0), ("1", 1.0), ("auto", "auto"), (0.8, 0.8)])
def test_reads_a_confidence(text, value):
    assert parse_confidence(text) == value


@pytest.mark.parametrize("text", ["80", "-0.1", "nan", "inf", "", "Auto", "a\x1b[2J", True, None, -1, [0.5]])
def test_refuses_what_is_no_confidence(text):
    with pytest.raises(InputError, match="expected a number from 0 to 1, such as 0.8, or auto"):
        parse_confidence(text)


def test_calls_examples_unsure_below_the_confidence():
    labels = [("cat", 0.6), ("dog", 0.4)]
    assert decide(labels, 0.6) == "cat"
    assert decide(labels, 0.601) == "unsure"


def test_refuses_runs_whose_examples_cannot_be_called_unsure():
    check_unsure(("cat", "dog"), multi_label=False)
    with pytest.raises(InputError, match="one class an example"):
        check_unsure(("cat", "dog"), multi_label=True)
    with pytest.raises(InputError, match="a class of that name"):
        check_unsure(("sure", "unsure"), multi_label=False)
