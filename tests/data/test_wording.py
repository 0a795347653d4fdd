import pytest

from tl_keras.data.wording import as_number, excerpt, first_of, lookalikes, one_line, printable

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
"""A word whose spelling has a zero-width non-joiner."""
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
"""An emoji whose parts are joined."""


def test_short_lists_are_joined():
    assert first_of(["a", 2]) == "a; 2"


def test_long_lists_end_with_a_count():
    assert first_of(range(25), limit=3) == "0; 1; 2; and 22 more"


def test_an_error_becomes_one_line():
    assert one_line(ValueError("first\n  second.")) == "first second"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("größe 🐈.png", "größe 🐈.png"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("caf\udce9", "caf\\udce9"),
        ("\u202egnp", "\\u202egnp"),
        ("\x00\x1b[31m", "\\x00\\x1b[31m"),
        (PERSIAN, PERSIAN),
        (FAMILY, FAMILY),
        ("\u0647\u200d", "\u0647\u200d"),
        ("\u200d\u0647", "\u200d\u0647"),
        ("\u200d", "\\u200d"),
        ("c\u200cat", "c\\u200cat"),
        ("\u202e\u200d", "\\u202e\\u200d"),
    ],
)
def test_unprintable_characters_are_escaped(name, expected):
    assert printable(name) == expected and printable(expected) == expected


def test_names_that_look_alike():
    assert lookalikes(["Cat", "cat", "dog", "CAT "]) == ["'CAT ' and 'Cat' and 'cat'"]
    assert lookalikes(["a", "A", "ab", "b a"]) == []
    assert lookalikes([PERSIAN, PERSIAN.replace("\u200c", "")]) == [
        "'\u0645\u06cc\u062e\u0648\u0627\u0647\u0645' and '\u0645\u06cc\\u200c\u062e\u0648\u0627\u0647\u0645'"
    ]
    assert len(lookalikes(["caf\u00e9", "cafe\u0301", "straße", "strasse"])) == 2


def test_equal_numbers_look_alike_even_if_one_has_a_single_digit():
    assert lookalikes(["1", "01", "2", "1.0"]) == ["'01' and '1' and '1.0'"]
    assert lookalikes(["A", "\uff21"]) == ["'A' and '\uff21'"]
    assert [as_number(name) for name in ("-0.50", "+7", "1e3", "\u0661", "")] == ["-0.5", "7", None, None, None]


def test_an_excerpt_is_short_and_printable():
    assert excerpt("a\nb") == "a\\nb" and len(excerpt("x" * 10**6)) == 80
