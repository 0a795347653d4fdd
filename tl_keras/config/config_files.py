"""Configuration files: lookup of shipped ones by name, and checks before parsing."""

import os
from itertools import pairwise
from pathlib import Path

import yaml

from tl_keras.config.config_keys import check_keys
from tl_keras.data.images.resizing import STRETCH
from tl_keras.errors import MAX_QUOTED, InputError, unknown_name
from tl_keras.system.plain_yaml import load_yaml

CONFIG_FOLDER = Path(__file__).parents[1] / "configs"
MAX_CONFIG_BYTES = 64_000
FORMER_VALUES = {("data", "resize"): {"squash": STRETCH}}
"""From the place of a setting to its values of earlier versions and their names of today."""


def shipped_configs():
    """Lists the names of the shipped configurations in alphabetical order."""
    return sorted(path.stem for path in CONFIG_FOLDER.glob("*.yaml"))


def locate_configs(arguments):
    """Replaces names of shipped configurations by their paths and checks every file before parsing.

    Args:
        arguments: list of the strings of a command line.

    Returns:
        New list, in which the path of a file follows each `--config`.

    Raises:
        InputError: a file does not exist, cannot be read, or has an unknown key.
    """
    located = []
    for previous, argument in pairwise(["", *arguments]):
        if previous == "--config":
            argument = _locate_config(argument)
        elif argument.startswith("--config="):
            argument = f"--config={_locate_config(argument.removeprefix('--config='))}"
        located.append(argument)
    if located[-1:] == ["--config"]:
        raise InputError(f"--config needs a YAML file or the name of a shipped one: {', '.join(shipped_configs())}.")
    return located


def _locate_config(name):
    path = Path(name)
    if not path.suffix and not os.path.exists(path):
        if name not in shipped_configs():
            raise unknown_name("--config (neither a file nor a shipped name)", name, shipped_configs())
        path = CONFIG_FOLDER / f"{name}.yaml"
    if os.path.isdir(path):
        inside = path / "config.yaml"
        advice = f"give {str(inside)!r}" if os.path.isfile(inside) else "give a YAML file, or data as --data.path"
        raise InputError(f"--config {name!r} is a folder, expected a file: {advice}.")
    if not os.path.isfile(path):
        raise InputError(
            f"The configuration file {name!r} does not exist: give a YAML file or one of: "
            f"{', '.join(shipped_configs())}."
        )
    check_keys(read_config(path))
    return str(path)


def read_config(path):
    """Reads a configuration file as plain values.

    Args:
        path: `pathlib.Path` of the file.

    Returns:
        What `load_settings` returns.

    Raises:
        InputError: the file is too large, cannot be read or is not valid YAML.
    """
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise InputError(
            f"The configuration file {str(path)!r} has more than {MAX_CONFIG_BYTES} bytes: check that it is one."
        )
    try:
        return load_settings(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"Cannot read the configuration file {str(path)!r}: {error.strerror}; check its permissions."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            f"The configuration file {str(path)!r} is not valid YAML: {' '.join(str(error).split())[:MAX_QUOTED]}."
        ) from error


def load_settings(text):
    """Reads YAML as `load_yaml` does, with former values by their names of today.

    Args:
        text: str, a configuration file or a single value.

    Returns:
        Plain values.

    Raises:
        yaml.YAMLError: the text is not valid YAML.
    """
    settings = load_yaml(text)
    for (part, name), names in FORMER_VALUES.items():
        values = settings.get(part) if isinstance(settings, dict) else None
        if isinstance(values, dict) and isinstance(value := values.get(name), str):
            values[name] = names.get(value, value)
    return settings
