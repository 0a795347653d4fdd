import pytest
import yaml

from tl_keras.system.plain_yaml import MAX_DEPTH, load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, word) for word in ("no", "off", "yes", "On", "y", "010", "1:30", "1_000", "0x10", "2024-01-01", "<<")],
        *[("true", True), ("False", False), ("null", None), ("~", None), ("", None)],
        *[("10", 10), ("-3", -3), ("0", 0), ("+7", 7)],
        *[("1e-3", 1e-3), ("1E5", 1e5), ("1.", 1.0), (".5", 0.5), ("-1.5e+3", -1500.0), ("-.inf", float("-inf"))],
        *[("'10'", "10"), ("[a, {b: 1}]", ["a", {"b": 1}])],
    ],
)
def test_values_are_what_they_look_like(text, value):
    loaded = load_yaml(text)
    assert loaded == value and type(loaded) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "found the duplicate key 'a' at line 3"),
        ("a: {b: 1, 'b': 2}", "the duplicate key 'b'"),
        ("a: &x [1]\nb: *x", r"found the alias \*x: write out the value it stands for at line 2"),
        ("&x [*x]", "found the alias"),
        ("[" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} nested levels"),
        ("[" * 100_000, "more than"),
        ("- " * 10_000, "more than"),
        ("9" * 5000, "4300 digits"),
        ("!!python/object/apply:os.getcwd []", "constructor for the tag"),
        ("a: [", "at line 1"),
        ("? [1]\n: 2", "unhashable"),
    ],
)
def test_ambiguous_or_explosive_documents_are_refused(text, message):
    with pytest.raises(yaml.YAMLError, match=message):
        load_yaml(text)


def test_the_maximum_depth_is_accepted():
    assert load_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_keys_of_different_types_are_not_duplicates():
    assert load_yaml("{1: a, '1': b}") == {1: "a", "1": "b"}
