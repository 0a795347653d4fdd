import unicodedata

import pytest

from tl_keras.data.texts.cleaning import CHARACTERS_PER_TOKEN, MAX_CHARACTERS, clean_text, prepare_text

SPACES = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp")]
ZERO_WIDTHS = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202e", "\u2066"]
CONTROLS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]


@pytest.mark.parametrize("space", [*SPACES, "\x0b", "\x0c", "\x85", "\x1f"], ids=ascii)
def test_spaces_of_every_kind_become_plain(space):
    assert clean_text(f"good{space}film") == "good film"


@pytest.mark.parametrize("character", [*ZERO_WIDTHS, "\0", "\x07", "\x7f", "\x91"], ids=ascii)
def test_invisible_characters_are_removed(character):
    assert clean_text(f"go{character}od film{character}") == "good film"


def test_no_control_characters_stay_but_tabs_and_line_ends():
    assert clean_text("".join(CONTROLS)).replace(" ", "") == "\t\n\r"


def test_visible_characters_stay():
    text = "größer, naïve cafe\u0301 — «¿qué?» 数字 हिन्दी 🙂\t1\n2\r\n"
    assert clean_text(text) == text


def test_lone_surrogates_are_replaced_and_cleaning_twice_changes_nothing():
    once = clean_text("a \ud83d b \udce9\u00a0")
    assert once == "a \ufffd b \ufffd " == clean_text(once)


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("head", "a" * MAX_CHARACTERS), ("tail", "b" * MAX_CHARACTERS), ("head_tail", None)],
)
def test_very_long_texts_are_cut(truncation, expected):
    half = MAX_CHARACTERS // 2
    text = "a" * 2_000_000 + "b" * 2_000_000
    assert prepare_text(text, 128, truncation) == (expected or f"{'a' * half} {'b' * half}")


def test_the_limit_grows_with_the_tokens_and_applies_to_each_text_of_a_pair():
    limit = CHARACTERS_PER_TOKEN * 8192
    assert list(map(len, prepare_text(("a" * 4_000_000, "b"), 8192, "head"))) == [limit, 1]


def test_texts_up_to_the_limit_stay_whole():
    text = "ab " * 33_333
    assert {prepare_text(text, 8, truncation) for truncation in ("head", "tail", "head_tail")} == {text}
