import pytest

from tl_keras.system.escaping import csv_cell, for_terminal


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-A1", "-1\n=1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")']
)
def test_a_formula_is_escaped(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "good", "a=b", " =1", "1-2", "'=1", "größe", "-1", "+1", "-0.5"])
def test_other_texts_stay_unchanged(text):
    assert csv_cell(text) == text


def test_control_characters_are_replaced_for_a_terminal():
    assert for_terminal("a\x1b]0;evil\x07b\x9b2J\nc") == "a�]0;evil�b�2J�c"


def test_all_other_characters_reach_a_terminal():
    assert for_terminal("größe 猫 \udcff.png") == "größe 猫 \udcff.png"
