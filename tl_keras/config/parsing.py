"""Parsing of a command line to a `RunConfig`, with one-line errors."""

import re
from types import MappingProxyType

from jsonargparse import ArgumentError

from tl_keras.config.config_files import locate_configs
from tl_keras.config.config_keys import flag_names
from tl_keras.config.config_text import config_text
from tl_keras.config.file_settings import build_config
from tl_keras.config.parser import make_parser, one_sentence
from tl_keras.config.shorthand import expand_shorthand
from tl_keras.errors import InputError, unknown_name
from tl_keras.system.json_files import MAX_DIGITS

PRINT_CONFIG = {"--print_config": "Print the configuration as commented YAML and exit."}
LONG_NUMBER = re.compile(rf"\d{{{MAX_DIGITS + 1},}}")
OWN_FLAGS = ("--config", *PRINT_CONFIG, "--help")


def parse(arguments, actions=MappingProxyType({})):
    """Parses a command line: flags override YAML files, which override defaults.

    A note is printed of settings of the files that the flags make meaningless.

    Args:
        arguments: list of strings, as in `sys.argv[1:]`.
        actions: dict from the flag of an action that the caller performs, such as "--print_phases", to its help text.

    Returns:
        `RunConfig`. `--help` and `--print_config` print instead and exit with code 0.

    Raises:
        InputError: a flag or key is unknown, a value has the wrong type, or a file cannot be read.
    """
    arguments = locate_configs(expand_shorthand(arguments, actions))
    check_flags(arguments, actions)
    parser = make_parser(PRINT_CONFIG | actions)
    try:
        config, notes = build_config(parser, arguments)
    except (ArgumentError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(one_sentence(str(error))) from error
    except OverflowError as error:
        # Raised for an integer where a float is expected, without the name of the setting.
        raise InputError(
            f"The settings have a number of more than {MAX_DIGITS} digits: expected floating point, at most 1e308."
        ) from error
    if "--print_config" in arguments:
        print(*(f"# note: {note}\n" for note in notes), config_text(config), sep="", end="")
        raise SystemExit(0)
    for note in notes:
        print(f"note: {note}", flush=True)
    return config


def check_flags(arguments, others=()):
    """Refuses unknown flags, and numbers of too many digits.

    Args:
        arguments: list of strings, as `expand_shorthand` returns it.
        others: flags of the caller beside those of the configuration.

    Raises:
        InputError: names the flag, and the nearest one.
    """
    known = [*flag_names(), *OWN_FLAGS, *others]
    flag = ""
    for argument in arguments:
        if argument.startswith("--"):
            flag = argument.partition("=")[0].removesuffix("+").removesuffix(".help")
            if flag not in known:
                raise unknown_name("flag", flag, known)
        if number := LONG_NUMBER.search(argument):
            raise InputError(f"{flag} got a number of {len(number[0])} digits: expected at most {MAX_DIGITS}.")
