"""Short forms of a command line: a path alone, a truth value without a word, one phase without brackets."""

import os
import re
from collections import deque
from types import MappingProxyType
from typing import get_args

import yaml

from tl_keras.config.config_keys import flag_kinds
from tl_keras.errors import InputError, quoted
from tl_keras.system.plain_yaml import load_yaml

TRUTH_VALUES = ("true", "false", "yes", "no")
WITHOUT_VALUE = ("--print_config", "--help")
MAX_SHOWN = 3


def expand_shorthand(arguments, actions=MappingProxyType({})):
    """Writes out the short forms of a command line.

    `photos` becomes `--data.path=photos`, `--xla` becomes `--xla=true`, `--resume` becomes `--resume=auto`, and a
    single phase `{...}` becomes a list.

    Args:
        arguments: list of strings of a command line.
        actions: flags that take no value.

    Returns:
        New list of strings.

    Raises:
        InputError: there are several paths, or a path beside `--data.path`, or a flag without its dashes.
    """
    expanded, paths, rest = [], [], deque(arguments)
    while rest:
        argument = rest.popleft()
        if not argument.startswith("-"):
            paths.append(argument)
        elif "=" in argument or not _takes_value(argument, actions):
            expanded.append(_in_brackets(argument))
        elif argument in _bare_values() and _is_bare(argument, rest):
            expanded.append(f"{argument}={_bare_values()[argument][0]}")
        else:
            expanded.append(argument)
            if rest:
                expanded[-1:] = _in_brackets(f"{argument}={rest.popleft()}").split("=", 1)
    return [*expanded, *_data_path(paths, expanded)]


def _takes_value(flag, actions):
    return flag.startswith("--") and flag not in (*actions, *WITHOUT_VALUE) and not flag.endswith(".help")


def _bare_values():
    """Returns a dict from a flag to the values it may have, of which the first is meant without one."""
    truth = {flag: TRUTH_VALUES for flag, kind in flag_kinds().items() if bool in (kind, *get_args(kind))}
    return truth | {"--resume": ("auto", "must", "never")}


def _is_bare(flag, rest):
    if not rest or rest[0].startswith("--"):
        return True
    return rest[0].lower() not in _bare_values()[flag] and os.path.exists(rest[0])


def _in_brackets(argument):
    flag, equals, value = argument.partition("=")
    if flag == "--phases":
        _check_yaml(value)
    return f"{flag}=[{value}]" if flag == "--phases" and value.lstrip().startswith("{") else f"{flag}{equals}{value}"


def _check_yaml(value):
    try:
        load_yaml(value)
    except yaml.YAMLError as error:
        raise InputError(
            f"--phases: {quoted(value)} has a bracket or a quote that is not closed, or another mistake in its YAML: "
            'expected a list such as "[{train: head, epochs: 3}, {train: all, learning_rate: 1e-4}]".'
        ) from error


def _data_path(paths, expanded):
    for path in paths:
        if re.match(r"[a-z][a-z_.]*=", path):
            raise InputError(f"A flag starts with two dashes: write --{path} in place of {path}.")
    if len(paths) > 1:
        shown = ", ".join(map(repr, paths[:MAX_SHOWN]))
        raise InputError(
            f"One path of data is expected, got {shown}: quote a path with spaces, and give flags as --FLAG."
        )
    if paths and any(argument.partition("=")[0] == "--data.path" for argument in expanded):
        raise InputError(f"The data are given twice, as {paths[0]!r} and with --data.path: leave one out.")
    return [f"--data.path={path}" for path in paths]
