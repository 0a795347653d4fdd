from tl_keras.data.listing import first_of, one_line


def test_short_lists_are_joined():
    assert first_of(["a", 2]) == "a; 2"


def test_long_lists_end_with_a_count():
    assert first_of(range(25), limit=3) == "0; 1; 2; and 22 more"


def test_an_error_becomes_one_line():
    assert one_line(ValueError("first\n  second.")) == "first second"
