import errno
import signal
import subprocess
import sys

import pytest

from tl_keras.cli.verbs import OneOfTwoNames, OneSentenceParser, run_verb
from tl_keras.errors import InputError, RunStopped
from tl_keras.system.interruption import Interrupted


def test_a_verb_that_succeeds_returns_quietly(capsys):
    run_verb(lambda arguments: print(arguments), ["--x"])
    assert capsys.readouterr() == ("['--x']\n", "")


def test_nothing_printed_controls_the_terminal(capsys):
    def verb(arguments):
        print("a\x1b[2Jb")
        print("c\x9b1m\nd", file=sys.stderr)
        raise RunStopped("e\x1b]0;\x07\rf")

    with pytest.raises(SystemExit):
        run_verb(verb, [])
    assert capsys.readouterr() == ("a�[2Jb\n", "c�1m\nd\nerror: e�]0;��f\n")
    print("\x1b[0m", end="")
    assert capsys.readouterr().out == "\x1b[0m"


def test_only_input_errors_become_sentences():
    with pytest.raises(ZeroDivisionError):
        run_verb(lambda arguments: 1 / 0, [])


@pytest.mark.parametrize(
    ("error", "code", "telling"),
    [
        (RunStopped("The loss is NaN."), 1, "error: The loss is NaN.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: The disk is full (No space left on device)"),
        (
            RuntimeError("{{node save}} /x/variables: No space left on device"),
            1,
            "error: The disk is full ({{node save}}",
        ),
        (RuntimeError("OOM when allocating tensor with shape[9]"), 1, "error: The memory is exhausted (OOM when alloc"),
        (MemoryError(), 1, "error: The memory is exhausted (MemoryError): give a smaller --data.batch_size"),
        (InputError("No space left on device; give another --cache.folder"), 2, "error: No space left on device; give"),
        (Interrupted(signal.SIGTERM), 143, ""),
        (Interrupted(signal.SIGINT), 130, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_stops_a_verb_has_an_exit_code_and_at_most_one_sentence(error, code, telling, capsys):
    def verb(arguments):
        raise error

    with pytest.raises(SystemExit) as stop:
        run_verb(verb, [])
    assert stop.value.code == code
    printed = capsys.readouterr().err
    assert printed.startswith(telling) and printed.count("\n") == bool(telling)


def test_other_faults_of_the_system_are_not_hidden():
    def verb(arguments):
        raise PermissionError(errno.EACCES, "no")

    with pytest.raises(PermissionError):
        run_verb(verb, [])


def test_a_lost_worker_is_one_sentence_and_exit_code_3():
    code = (
        "from tl_keras.cli.verbs import OneSentenceParser, run_verb\n"
        "from tl_keras.errors import LostWorker\n"
        "def verb(arguments):\n"
        "    raise LostWorker('gone')\n"
        "run_verb(verb, [])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (3, "", "error: gone\n")


@pytest.mark.parametrize("has_stderr", [True, False])
def test_a_closed_standard_output_is_one_sentence(monkeypatch, capsys, has_stderr):
    monkeypatch.setattr("sys.stdout", None)
    if not has_stderr:
        monkeypatch.setattr("sys.stderr", None)
    with pytest.raises(SystemExit) as stop:
        run_verb(print)
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("error: The standard output is closed") == has_stderr


def test_a_value_with_a_hyphen_is_explained():
    parser = OneSentenceParser("verb", "Does it.")
    parser.add_argument("--class")
    with pytest.raises(InputError, match=r"Argument --class: expected one argument: .*as in --flag=-value\.$"):
        parser.parse_args(["--class", "-2+3"])
    assert vars(parser.parse_args(["--class=-2+3"])) == {"class": "-2+3"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["RUN", "--outptu", "x"], "Unknown flag '--outptu': did you mean '--output'?"),
        (["RUN", "second", "--outptu=x"], "Unknown flag '--outptu': did you mean '--output'?"),
        (["RUN", "second"], "Unrecognized arguments: second: `verb --help` shows what it takes."),
        (["RUN", "--top", "three"], "--top: expected a whole number, such as 5, got 'three'."),
        (["RUN", "--share", "5%"], "--share: expected a number, such as 0.05, got '5%'."),
        (["RUN", "--format", "cvs"], "Unknown --format 'cvs': did you mean 'csv'? Expected one of: csv, table."),
    ],
)
def test_a_mistake_is_described_in_words_of_the_user(arguments, sentence):
    parser = OneSentenceParser("verb", "Does it.")
    parser.add_argument("run")
    parser.add_argument("--output")
    parser.add_argument("--top", type=int)
    parser.add_argument("--share", type=float)
    parser.add_argument("--format", choices=["csv", "table"])
    with pytest.raises(InputError) as caught:
        parser.parse_args(arguments)
    assert str(caught.value).startswith(sentence)


def test_two_names_of_a_flag_take_one_value():
    parser = OneSentenceParser("verb", "Does it.")
    parser.add_argument("--data", "--data.path", action=OneOfTwoNames)
    assert parser.parse_args(["--data", "a", "--data.path=a"]).data == "a"
    with pytest.raises(InputError, match=r"^--data and --data\.path are one setting: got 'a' and 'b', give one"):
        parser.parse_args(["--data", "a", "--data.path", "b"])


def test_arguments_stand_on_both_sides_of_a_flag():
    parser = OneSentenceParser("verb", "Does it.")
    parser.add_argument("run")
    parser.add_argument("items", nargs="+")
    parser.add_argument("--top", type=int)
    assert parser.parse_args(["RUN", "a", "--top", "3", "-", "b"]).items == ["a", "-", "b"]
    assert parser.parse_args(["RUN", "--top", "3", "--", "-x", "--top"]).items == ["-x", "--top"]
