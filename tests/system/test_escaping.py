import io

import pytest

from tl_keras.system.escaping import EscapedStream, csv_cell, for_terminal

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-A1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A1", '=HYPERLINK("http://x")']
)
def test_a_formula_is_escaped(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("=a;=1;b", "'=a;'=1;b"),
        ("a\t@b", "a\t'@b"),
        ("a\r\n+b", "a\r\n'+b"),
        ("-1\n=1", "'-1\n'=1"),
        ("\t=1", "'\t'=1"),
        (";;＝1", ";;'＝1"),
        ("a; -1;-1;b", "a; -1;-1;b"),
    ],
)
def test_a_formula_after_the_end_of_a_cell_is_escaped(text, escaped):
    assert csv_cell(text) == escaped


@pytest.mark.parametrize("text", ["", "good", "a=b", " =1", "1-2", "'=1", "größe", "-1", "+1", "-0.5"])
def test_other_texts_stay_unchanged(text):
    assert csv_cell(text) == text


def test_control_characters_are_replaced_for_a_terminal():
    assert for_terminal("a\x1b]0;evil\x07b\x9b2J\nc") == "a�]0;evil�b�2J�c"


def test_all_other_characters_reach_a_terminal():
    assert for_terminal("größe 猫 \udcff.png") == "größe 猫 \udcff.png"


def test_the_order_of_characters_cannot_be_changed():
    reordering = "\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\u206a\ufff9"
    assert for_terminal(f"a{reordering}b\u200dc") == f"a{len(reordering) * REPLACEMENT}b\u200dc"


def test_a_stream_escapes_all_but_line_ends_and_tabs():
    stream = EscapedStream(io.StringIO())
    print("a\x1b[2J\x9b1m\tb\r\u202ec", file=stream)
    assert stream.getvalue() == "a�[2J�1m\tb\r�c\n" and stream.stream.getvalue() == stream.getvalue()
    assert stream.write("\x1b1") == 2 and not stream.isatty()
