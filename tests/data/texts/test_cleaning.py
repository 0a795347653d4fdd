import unicodedata

import pytest

from tl_keras.data.texts.cleaning import CHARACTERS_PER_TOKEN, MAX_CHARACTERS, clean_text, prepare_text

SPACES = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp")]
ZERO_WIDTHS = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202e", "\u2066"]
CONTROLS = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]


@pytest.mark.parametrize("space", [*SPACES, "\x0b", "\x0c", "\x85", "\x1f"], ids=ascii)
def test_spaces_of_every_kind_become_plain(space):
    assert clean_text(f"good{space}film") == "good film"


@pytest.mark.parametrize("unseen", [*ZERO_WIDTHS, "\0", "\x07", "\x7f", "\x91"], ids=ascii)
def test_what_cannot_be_seen_goes(unseen):
    assert clean_text(f"go{unseen}od film{unseen}") == "good film"


def test_no_control_character_is_left_but_tabs_and_ends_of_lines():
    assert clean_text("".join(CONTROLS)).replace(" ", "") == "\t\n\r"


def test_what_can_be_seen_stays():
    text = "größer, naïve cafe\u0301 — «¿qué?» 数字 हिन्दी 🙂\t1\n2\r\n"
    assert clean_text(text) == text


def test_half_characters_are_replaced_and_cleaning_twice_changes_nothing():
    once = clean_text("a \ud83d b \udce9\u00a0")
    assert once == "a \ufffd b \ufffd " == clean_text(once)


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("head", "a" * MAX_CHARACTERS), ("tail", "b" * MAX_CHARACTERS), ("head_tail", None)],
)
def test_megabytes_are_cut(truncation, expected):
    half = MAX_CHARACTERS // 2
    text = "a" * 2_000_000 + "b" * 2_000_000
    assert prepare_text(text, 128, truncation) == (expected or f"{'a' * half} {'b' * half}")


def test_more_is_kept_where_more_tokens_are_wanted_and_pairs_are_cut_each():
    most = CHARACTERS_PER_TOKEN * 8192
    assert list(map(len, prepare_text(("a" * 4_000_000, "b"), 8192, "head"))) == [most, 1]


def test_of_a_text_of_no_more_than_100_000_characters_nothing_is_lost():
    text = "ab " * 33_333
    assert {prepare_text(text, 8, truncation) for truncation in ("head", "tail", "head_tail")} == {text}
