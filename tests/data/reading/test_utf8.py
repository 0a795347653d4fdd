import pytest

from tl_keras.data.reading.utf8 import NotUtf8, decode_utf8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_byte_order_mark_is_dropped(encoding):
    assert decode_utf8("größer 🙂".encode(encoding)) == "größer 🙂"


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("a\nb\nKäfer".encode("latin-1"), 3, "byte 0xe4 at position 5, line 3, it looks like latin-1"),
        ("he said “no” twice".encode("cp1252"), 1, "Windows-1252"),
        ("Москва - столица".encode("cp1251"), 1, "an older encoding"),
        ("text".encode("utf-16"), 1, "UTF-16"),
        ("text,label".encode("utf-16-le"), 1, "UTF-16"),
        ("text".encode("utf-32"), 1, "UTF-32"),
        ("line\ncafé".encode()[:-1], 2, "breaks off in the middle of a character"),
    ],
)
def test_other_encodings_are_guessed(content, line, reason):
    with pytest.raises(NotUtf8, match=reason) as caught:
        decode_utf8(content)
    assert caught.value.line == line
