"""Turns a command line into a `RunConfig`, and every mistake in it into one sentence."""

import argparse
import functools
import os
import re
import sys
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import yaml
from jsonargparse import ActionConfigFile, ArgumentError, ArgumentParser, set_loader, set_parsing_settings

from tl_keras.config import RunConfig, check_keys, flag_names
from tl_keras.errors import InputError, LostWorker, RunStopped, unknown_name
from tl_keras.phases import Phase, Plateau
from tl_keras.runs.run_folder import DISK_FULL
from tl_keras.system.interruption import Interrupted
from tl_keras.system.plain_yaml import load_yaml

CONFIG_FOLDER = Path(__file__).parent / "configs"
MAX_CONFIG_BYTES = 1_000_000
ACTIONS = {
    "--print_phases": "Print the phases as a table and as YAML to edit, and leave.",
    "--find_learning_rate": "Search the learning rate of the first phase, draw its curve, and leave.",
}
PARTS = {
    "phases": (Phase, "{train: head, epochs: 3}"),
    "phases.until": (Plateau, "{monitor: val_loss, patience: 3}"),
}
"""Keys of the configuration that hold keys themselves: which ones, and an example."""
OWN_FLAGS = ("--config", "--print_config", "--help", *ACTIONS)


def parse(arguments):
    """Reads flags over YAML files over defaults.

    Args:
        arguments: list of strings, as in `sys.argv[1:]`.

    Returns:
        `RunConfig`. `--help` and `--print_config` print instead and leave with exit code 0.

    Raises:
        InputError: an unknown flag or key, a value of the wrong kind, a file that cannot be read.
    """
    arguments = _locate_configs(_complete_resume(arguments))
    _check_flags(arguments)
    parser = _make_parser()
    try:
        namespace = parser.parse_args(arguments)
        print_config = namespace.pop("print_config")
        for flag in ACTIONS:
            namespace.pop(flag.removeprefix("--"))
        config = _as_config(parser.instantiate(namespace))
    except (ArgumentError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(_one_sentence(str(error))) from error
    if print_config:
        print(config_text(config), end="")
        raise SystemExit(0)
    return config


def config_text(config):
    """Writes a configuration as YAML, each key under its explanation, that `--config` reads back.

    Args:
        config: `RunConfig`.

    Returns:
        The YAML text.
    """
    parser = _make_parser()
    values = parser.parse_object(asdict(config))
    for flag in ("--print_config", *ACTIONS):
        values.pop(flag.removeprefix("--"))
    body = parser.dump(values, skip_unset=False, with_comments=True).split("\n", 2)[2]
    body = re.sub(r" [(](required, )?type: .*[)]$", "", body, flags=re.M)
    quoted = functools.partial(_quoted, dict(_words(asdict(config))))
    body = re.sub(r"^( *)(\w+): ([^'\"\s].*)$", quoted, body, flags=re.M)
    return f"# Run it: python -m tl_keras.train --config THIS_FILE\n{body}"


def _words(values):
    """Yields (key, value) of all that is a text."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _words(value)
        elif isinstance(value, str):
            yield key, value


def _quoted(words, line):
    """Quotes a text that one of the readers of YAML would take for a number, a date or a truth value."""
    indent, key, text = line.groups()
    read = [load(text) for load in (load_yaml, yaml.safe_load)] if words.get(key) == text else []
    return line.group() if all(isinstance(value, str) for value in read) else f"{indent}{key}: '{text}'"


def phases_text(phases):
    """Writes phases as YAML, one line each, that `--config` reads back under the key `phases`.

    Args:
        phases: list of `Phase`.

    Returns:
        The YAML text.
    """
    rows = [{name: value for name, value in asdict(phase).items() if value is not None} for phase in phases]
    return "".join(yaml.safe_dump([row], default_flow_style=None, sort_keys=False, width=1000) for row in rows)


class OneSentenceParser(argparse.ArgumentParser):
    """The parser of the small verbs: full flag names only, and a mistake is an `InputError`."""

    def __init__(self, prog, description):
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def error(self, message):
        """Raises what is wrong."""
        raise InputError(f"{message[:1].upper()}{message[1:]}: `{self.prog} --help` shows what it takes.")


def run_verb(verb, arguments=None):
    """Calls a verb and turns what the user got wrong into one sentence and exit code 2, what stopped a run into 1.

    A run that SIGINT or SIGTERM stopped exits with 130 or 143, one that lost another worker with 3.

    Args:
        verb: function of a list of arguments.
        arguments: list of strings; None takes those of the process.
    """
    try:
        verb(sys.argv[1:] if arguments is None else arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except RunStopped as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Interrupted as stop:
        raise SystemExit(stop.exit_code) from None
    except LostWorker as error:
        print(f"error: {error}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        # Not by sys.exit: on its way out TensorFlow waits up to a minute for the worker that is gone.
        os._exit(3)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        print(f"error: The disk is full ({error.strerror}): free some space and try again.", file=sys.stderr)
        raise SystemExit(1) from None


def _make_parser():
    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    set_loader("yaml", load_yaml, exceptions=(yaml.YAMLError,))
    parser = ArgumentParser(
        prog="python -m tl_keras.train",
        description="Trains, evaluates and saves a model from data and pretrained weights.",
        exit_on_error=False,
        print_config=None,
    )
    parser.add_argument(
        "--config", action=ActionConfigFile, help=f"YAML file, or a shipped one: {', '.join(_shipped())}."
    )
    parser.add_argument(
        "--print_config", action="store_true", help="Print the configuration as commented YAML and leave."
    )
    for flag, explanation in ACTIONS.items():
        parser.add_argument(flag, action="store_true", help=explanation)
    parser.add_class_arguments(RunConfig)
    return parser


def _as_config(values):
    return RunConfig(**{name: values[name] for name in RunConfig.__dataclass_fields__})


def _shipped():
    return sorted(path.stem for path in CONFIG_FOLDER.glob("*.yaml"))


def _complete_resume(arguments):
    """Lets `--resume` stand alone."""
    return [
        f"{one}=auto" if one == "--resume" and following.startswith("--") else one
        for one, following in pairwise([*arguments, "--"])
    ]


def _locate_configs(arguments):
    """Replaces the names of shipped configurations by their paths and checks every file before it is parsed."""
    located, follows = [], False
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if follows:
            argument = _locate_config(argument)
        elif equals and flag == "--config":
            argument = f"{flag}={_locate_config(value)}"
        follows = argument == "--config"
        located.append(argument)
    if follows:
        raise InputError(f"--config needs a YAML file or the name of a shipped one: {', '.join(_shipped())}.")
    return located


def _locate_config(name):
    path = Path(name)
    if not path.suffix and not os.path.exists(path):
        if name not in _shipped():
            raise unknown_name("--config (neither a file nor a shipped name)", name, _shipped())
        path = CONFIG_FOLDER / f"{name}.yaml"
    if not os.path.isfile(path):
        raise InputError(
            f"The configuration file {name!r} does not exist: give a YAML file or one of: {', '.join(_shipped())}."
        )
    check_keys(_read_yaml(path))
    return str(path)


def _read_yaml(path):
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise InputError(
            f"The configuration file {str(path)!r} is larger than {MAX_CONFIG_BYTES} bytes: is it really one?"
        )
    try:
        return load_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"Cannot read the configuration file {str(path)!r}: {error.strerror}; check its rights."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            f"The configuration file {str(path)!r} is not valid YAML: {' '.join(str(error).split())}."
        ) from error


def _check_flags(arguments):
    known = [*flag_names(), *OWN_FLAGS]
    for argument in arguments:
        flag = argument.partition("=")[0].removesuffix("+").removesuffix(".help")
        if flag.startswith("--") and flag not in known:
            raise unknown_name("flag", flag, known)


def _one_sentence(message):
    """Condenses the parser's nested report to what the user needs: the key, what was got, what was expected."""
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    if choice := re.search(r"Expected a typing.Literal\[(.*)\](?:\. Got|(?s:.*?)Given) value: (.*)", message):
        return str(unknown_name(key, choice[2], re.findall(r"'([^']*)'", choice[1])))
    if key in PARTS and (option := re.search(r"Option '(.*)' is not accepted", message)):
        return str(unknown_name(f"{key} key", option[1], PARTS[key][0].__dataclass_fields__))
    if key in PARTS and (value := re.search(r"Expected a dot import path string: (.*)", message)):
        return f"{key}: expected keys and values, such as {PARTS[key][1]}, got {value[1]!r}."
    message = re.sub(r"Expected an? (?:<class ')?(\w+)(?:'>)?\. Got value: (.*)", r"expected \1, got '\2'.", message)
    message = re.sub(r"<class '(\w+)'>", r"\1", message)
    noise = (
        "Parser key",
        "Does not validate",
        "Subtypes:",
        "Errors:",
        "Problem with",
        "Expected a NoneType",
        "Subclass types",
        "a class path",
        "a dict with",
        "Given value type",
        "Given value: Namespace",
        "Given value: [{",
        "Given value: [Namespace",
    )
    lines = [line.strip(" -") for line in message.splitlines()]
    telling = " ".join(line for line in lines if line and not line.startswith(noise))
    telling = re.sub(r"^Expected an? (\w+) Given value: (.*)", r"expected \1, got '\2'.", telling)
    telling = re.sub(r"(got '.*'\.) Given value: .*", r"\1", telling)
    return f"{key}: {telling}" if key else telling
