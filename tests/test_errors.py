import pytest

from tl_keras.errors import InputError, counted, part_of, quoted, unknown_name


@pytest.mark.parametrize(
    ("received", "options", "message"),
    [
        ("vgg61", ["vgg16", "resnet"], "Unknown model 'vgg61': did you mean 'vgg16'? Expected one of: vgg16, resnet."),
        ("zzz", ["vgg16", "resnet"], "Unknown model 'zzz': Expected one of: vgg16, resnet."),
        (3, ["a", "b", "a"], "Unknown model 3: Expected one of: a, b."),
        ("name07x", [f"name{n:02}" for n in range(40)], "Unknown model 'name07x': did you mean 'name07'?"),
        (
            "lite",
            [*(f"name{n:02}" for n in range(40)), "lite0", "lite1", "lite2"],
            "Unknown model 'lite': did you mean 'lite0', 'lite1' or 'lite2'?",
        ),
    ],
    ids=["near", "far", "not a string", "near one of many", "start of several"],
)
def test_the_error_of_an_unknown_name_shows_it_and_the_valid_names(received, options, message):
    error = unknown_name("model", received, options)
    assert isinstance(error, InputError)
    assert str(error) == message


def test_long_values_are_shortened():
    assert quoted("x" * 198) == f"'{'x' * 198}'" and len(quoted("x" * 199)) == 200
    assert quoted([1] * 1000)[:5] == "[1, 1" and quoted([1] * 1000).endswith("…")
    assert len(str(unknown_name("key " + "y" * 10**6, "x" * 10**6, ["a"]))) < 500
    assert len(str(unknown_name("class", "x" * 10**5, ["x" * 10**5, "y" * 10**5]))) < 900


@pytest.mark.parametrize("name", ["\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f469", "\u200d\u0647"])
def test_joiners_of_a_name_stay_where_it_is_quoted(name):
    assert quoted(name) == f"'{name}'" and quoted([name]) == f"['{name}']"
    assert quoted(f"\\{name}") == f"'\\\\{name}'" or name.startswith("\u200d")


def test_joiners_beside_ascii_and_written_out_stay_escaped():
    assert quoted("c\u200cat") == r"'c\u200cat'" and quoted("\u0645" r"\u200c") == "'\u0645" r"\\u200c'"


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize(
    ("number", "nouns", "expected"),
    [
        (1, ["training image"], "1 training image"),
        (0, ["training image"], "0 training images"),
        (1208, ["box"], "1,208 boxes"),
        (2, ["class"], "2 classes"),
        (2, ["batch"], "2 batches"),
        (2, ["planned epoch"], "2 planned epochs"),
        (1, ["box is", "boxes are"], "1 box is"),
        (3, ["box is", "boxes are"], "3 boxes are"),
    ],
)
def test_a_noun_follows_its_number(number, nouns, expected):
    assert counted(number, *nouns) == expected


@pytest.mark.parametrize(
    ("part", "number", "expected"),
    [
        (0, 1, "0 of 1 box are"),
        (1, 2, "1 of 2 boxes is"),
        (1, 1, "1 of 1 box is"),
        (1500, 2000, "1,500 of 2,000 boxes are"),
    ],
)
def test_the_verb_agrees_with_the_part(part, number, expected):
    assert part_of(part, number, "box") == expected


def test_other_verbs_agree_too():
    assert part_of(1, 3, "class", ("has", "have")) == "1 of 3 classes has"
