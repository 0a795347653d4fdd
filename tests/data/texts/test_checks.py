import pytest

from tl_keras.data.data_errors import Faults
from tl_keras.data.texts.checks import check_texts
from tl_keras.errors import InputError

PLACES = [f"line {number}" for number in range(2, 200)]


def check(texts):
    faults = Faults("The table t")
    check_texts(PLACES[: len(texts)], texts, faults)
    faults.raise_if_any()


def test_good_texts():
    check(["fine", ("one", "two"), "größer 🙂"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", "", " \n", "b", ""], "The table t cannot be used: no text at line 3, line 4, line 6: fill them"),
        (["a", "\u200b\ufeff \u00a0", "b", "c", "d"], "no text at line 3"),
        (["a", ("b", ""), "c", "d", "e"], "no text at line 3"),
        (["a", "b\0", "c", "d\0", "e"], "NUL characters at line 3, line 5"),
        (["a", ["b", "c"], "d", "e", "f"], "a list in place of a text at line 3"),
        (["a", "b \ud83d", "c", "d", "e"], "lone surrogate.* at line 3"),
    ],
)
def test_all_bad_texts_are_reported_in_one_message(texts, message):
    with pytest.raises(InputError, match=message) as caught:
        check(texts)
    assert "\n" not in str(caught.value)


def test_further_bad_texts_are_counted():
    with pytest.raises(InputError, match="no text at line 2, .* and 92 more: fill"):
        check([""] * 100)
