import pytest

from tl_keras.cli.train_help import asks_for_help, help_text
from tl_keras.config import flag_names
from tl_keras.errors import InputError

ACTIONS = {"--print_phases": "Print the phases."}


def test_the_first_page_is_short_and_says_how_to_see_more():
    text = help_text(["--help"], ACTIONS)
    assert len(text.splitlines()) < 85 and max(map(len, text.splitlines())) <= 120
    for words in ("[PATH]", "--data.path TEXT", "--recipe ", "--print_phases", "image_classification, sentiment"):
        assert words in text
    assert "--help TOPIC" in text and "--cache.views" not in text


def test_all_flags_are_explained_somewhere():
    text = help_text(["--help", "all"], ACTIONS)
    shown = {line.split()[0] for line in text.splitlines() if line.startswith("  --")}
    parts = {"--data", "--text", "--detection", "--model", "--cache", "--adaptation", "--optimizer"}
    assert shown == {*flag_names(), "--print_phases", "--print_config"} - parts


@pytest.mark.parametrize("arguments", [["--help", "cache"], ["--help=cache"], ["photos", "-h", "cache"]])
def test_a_part_has_a_page(arguments):
    text = help_text(arguments, ACTIONS)
    assert text.startswith("  --cache.mode auto|on|off\n        auto caches activations if that saves time")
    assert "(default 8.0)" in text and "--data" not in text


def test_the_keys_of_a_phase_have_a_page():
    text = help_text(["--help", "phases"], ACTIONS)
    assert "block_decay X" in text and "patience N" in text


def test_an_unknown_topic_is_refused():
    with pytest.raises(InputError, match="Unknown topic of --help 'dat': did you mean 'data'"):
        help_text(["--help", "dat"], ACTIONS)


def test_help_is_asked_for_by_its_flag_only():
    assert asks_for_help(["photos", "--help"]) and asks_for_help(["-h"])
    assert not asks_for_help(["--run", "help"])
