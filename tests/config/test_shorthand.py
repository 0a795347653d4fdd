import pytest

from tl_keras.config.parsing import parse
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError
from tl_keras.phases import Phase


def test_a_path_alone_is_that_of_the_data():
    assert parse(["photos", "--seed", "3"]).data.path == "photos"
    assert parse(["--seed", "3", "--xla", "true", "photos"]).data.path == "photos"
    assert expand_shorthand(["--print_phases", "photos"], ["--print_phases"]) == [
        "--print_phases",
        "--data.path=photos",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my", "photos"], "One path of data is expected, got 'my', 'photos'"),
        (["photos", "--data.path", "other"], "The data are given twice, as 'photos' and with --data.path"),
        (["data.path=photos"], "write --data.path=photos in place of data.path=photos"),
    ],
)
def test_other_words_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        parse(arguments)


def test_a_truth_value_without_a_word_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for arguments in (["--deterministic"], ["--deterministic", "--xla"], ["--deterministic", "photos"]):
        assert parse(arguments).deterministic
    assert parse(["--deterministic", "photos"]).data.path == "photos"
    assert not parse(["--deterministic", "false"]).deterministic
    assert not parse(["--scale_learning_rate=no"]).scale_learning_rate
    assert parse(["--data.multi_label"]).data.multi_label
    assert parse(["--resume", "--seed", "1"]).resume == "auto"


def test_another_word_behind_a_truth_value_is_refused():
    with pytest.raises(InputError, match="deterministic: expected true or false, got 'maybe'"):
        parse(["--deterministic", "maybe"])


@pytest.mark.parametrize(
    "form", [["--phases", "{train: head}"], ["--phases={train: head}"], ["--phases+={train: head}"]]
)
def test_one_phase_needs_no_brackets(form):
    assert parse(form).phases == [Phase("head")]


def test_a_flag_without_its_value_is_refused():
    with pytest.raises(InputError, match="seed"):
        parse(["--seed"])
