import subprocess
import sys

import pytest

from tl_keras.__main__ import VERBS, dispatch
from tl_keras.errors import InputError


def test_help_lists_every_verb_with_what_it_does(capsys):
    dispatch(["--help"])
    printed = capsys.readouterr().out
    for verb, text in VERBS.items():
        assert f"{verb} " in printed
        assert text in printed


def test_a_mistyped_verb_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'predict'"):
        dispatch(["predcit"])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_help(verb):
    result = subprocess.run([sys.executable, "-m", "tl_keras", verb, "--help"], capture_output=True, text=True)
    assert result.returncode == 0
    assert f"usage: python -m tl_keras.{verb}" in result.stdout


def test_bad_input_is_exit_code_2_without_traceback():
    result = subprocess.run([sys.executable, "-m", "tl_keras", "predcit"], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("error: Unknown verb")
    assert result.stderr.count("\n") == 1
