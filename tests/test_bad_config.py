"""Unusual configurations: each one is refused in one line with exit code 2, or read with the expected value."""

import os

import pytest

from tl_keras.cli.verbs import run_verb
from tl_keras.config.parsing import parse

BOMB = "\n".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)

REFUSED = {
    "a duplicate key": ("seed: 1\ndata: {path: x}\nseed: 2\n", "the duplicate key 'seed' at line 3"),
    "a duplicate key below": ("data: {path: x, path: y}\n", "the duplicate key 'path' at line 1"),
    "an unknown key": ("sed: 1\n", "Unknown configuration key 'sed': did you mean 'seed'?"),
    "an unknown key below": ("data: {pth: x}\n", "'data.pth': did you mean 'data.path'?"),
    "an unknown key in a phase": ("phases: [{train: head, rate: 1}]\n", "Unknown configuration key 'phases[1].rate'"),
    "an alias bomb": (f"a: &a [x, x]\n{BOMB}\n", "found the alias *a: write out the value it stands for at line 2"),
    "an alias of itself": ("phases: &a [*a]\n", "found the alias"),
    "too deep, in one line": ("phases: " + "[" * 60_000, "more than 20 nested levels at line 1"),
    "too deep, by lines": ("".join(" " * n + "a:\n" for n in range(99)), "more than 20 nested levels"),
    "null for a number": ("seed: null\n", "seed must not be null"),
    "nothing for a number": ("data: {batch_size: }\n", "data.batch_size must not be null"),
    "null for a number of a phase": (
        "phases: [{train: head, learning_rate: ~}]\n",
        "learning_rate must not be null",
    ),
    "a float for an integer": ("seed: 1e3\n", "seed: expected a whole number, such as 5, got '1000.0'."),
    "a number without end": (f"seed: {'9' * 5000}\n", "4300 digits"),
    "a word that is no float": (f"model: {{label_smoothing: 0{'9' * 310}}}\n", "a number of more than 300 digits"),
    "a Python object": ("run: !!python/object/apply:os.system [id]\n", "constructor for the tag"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "is not valid YAML"),
    "a tab": ("data:\n\tpath: x\n", "is not valid YAML: found character '\\t' that cannot start any token at line 2"),
    "not UTF-8": (b"run: \xff\n", "is not valid YAML"),
    "UTF-16": ("seed: 1\n".encode("utf-16"), "is not valid YAML"),
    "binary": (bytes(range(256)), "is not valid YAML"),
}
ACCEPTED = {
    "no": ("data: {path: no}\n", lambda config: config.data.path, "no"),
    "off": ("cache: {mode: off}\n", lambda config: config.cache.mode, "off"),
    "yes for a boolean": ("xla: yes\n", lambda config: config.xla, True),
    "010 for a path": ("data: {path: 010}\n", lambda config: config.data.path, "010"),
    "010 for a number": ("seed: 010\n", lambda config: config.seed, 10),
    "1e-3": ("learning_rate: 1e-3\n", lambda config: config.learning_rate, 1e-3),
    "a date": ("run: 2024-01-01\n", lambda config: config.run, "2024-01-01"),
    "a byte order mark": (b"\xef\xbb\xbfseed: 3\n", lambda config: config.seed, 3),
    "Windows line ends": (b"seed: 3\r\nrun: x\r\n", lambda config: config.seed, 3),
}


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["--config", str(path)]

    return write


def refusal(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        run_verb(parse, arguments)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1 and len(message) < 1000
    return message


@pytest.mark.parametrize("row", REFUSED)
def test_refused(row, written, capsys):
    text, message = REFUSED[row]
    assert message in refusal(written(text), capsys)


@pytest.mark.parametrize("row", ACCEPTED)
def test_accepted(row, written):
    text, value_of, value = ACCEPTED[row]
    assert value_of(parse(written(text))) == value


def test_a_file_without_read_permission_is_refused(written, capsys, monkeypatch):
    arguments = written("seed: 1\n")

    def refuse(*_, **__):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    assert "Permission denied; check its permissions" in refusal(arguments, capsys)


def test_a_pipe_is_refused(tmp_path, capsys):
    os.mkfifo(tmp_path / "x.yaml")
    assert "does not exist" in refusal(["--config", str(tmp_path / "x.yaml")], capsys)
