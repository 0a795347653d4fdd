"""Configuration files: the shipped ones by name, and the checks before a file is parsed."""

import os
from pathlib import Path

import yaml

from tl_keras.config.config_keys import check_keys
from tl_keras.errors import InputError, unknown_name
from tl_keras.system.plain_yaml import load_yaml

CONFIG_FOLDER = Path(__file__).parents[1] / "configs"
MAX_CONFIG_BYTES = 1_000_000


def shipped_configs():
    """Lists the names of the shipped configurations, sorted."""
    return sorted(path.stem for path in CONFIG_FOLDER.glob("*.yaml"))


def locate_configs(arguments):
    """Replaces the names of shipped configurations by their paths and checks every file before it is parsed.

    Args:
        arguments: list of strings of a command line.

    Returns:
        New list, in which each `--config` is followed by the path of a file.

    Raises:
        InputError: a file does not exist, cannot be read, or has an unknown key.
    """
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
        raise InputError(f"--config needs a YAML file or the name of a shipped one: {', '.join(shipped_configs())}.")
    return located


def _locate_config(name):
    path = Path(name)
    if not path.suffix and not os.path.exists(path):
        if name not in shipped_configs():
            raise unknown_name("--config (neither a file nor a shipped name)", name, shipped_configs())
        path = CONFIG_FOLDER / f"{name}.yaml"
    if not os.path.isfile(path):
        raise InputError(
            f"The configuration file {name!r} does not exist: give a YAML file or one of: "
            f"{', '.join(shipped_configs())}."
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
