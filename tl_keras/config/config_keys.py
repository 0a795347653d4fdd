"""Keys of a configuration, in the spelling of files and flags."""

from dataclasses import is_dataclass
from typing import get_args, get_origin, get_type_hints

from tl_keras.config.run_config import RunConfig
from tl_keras.errors import InputError, counted, quoted, unknown_name

MAX_ITEMS = 100
"""Maximum length of a list, since the time of the parser grows with its square: 8,000 numbers take 40 seconds."""
MAX_CHARACTERS = 4096
"""Maximum length of a text, that of a path in Linux."""
MAX_INTEGER = 2**63


def check_keys(mapping, config_class=RunConfig, prefix=""):
    """Refuses unknown keys, text in place of keys, and null for values that cannot be null, at any depth.

    The parser would interpret such a text, or the key `class_path`, as the name of a class and import its module.

    Args:
        mapping: nested dict, as read from a YAML file.
        config_class: dataclass with the expected keys.
        prefix: path of the mapping in the configuration, such as "data.".

    Raises:
        InputError: a key is unknown; the message names the nearest valid one. Or a value has the wrong kind or is too
            long.
    """
    if not isinstance(mapping, dict):
        raise InputError(
            f"{prefix.rstrip('.') or 'The configuration'} must be a mapping of keys to values: got {quoted(mapping)}."
        )
    known = get_type_hints(config_class)
    for key, value in mapping.items():
        if key not in known:
            raise unknown_name("configuration key", f"{prefix}{key}", [f"{prefix}{name}" for name in known])
        if value is None and not is_dataclass(known[key]) and type(None) not in get_args(known[key]):
            raise InputError(f"{prefix}{key} must not be null: give a value, or leave it out.")
        _check_part(value, known[key], f"{prefix}{key}")


def _check_part(value, kind, place):
    """Checks a value whose type contains dataclasses, such as `Plateau | None` or `list[Phase] | None`."""
    _check_length(value, place)
    if is_dataclass(kind):
        check_keys(value, kind, f"{place}.")
    elif get_origin(kind) is list and is_dataclass(get_args(kind)[0]):
        if not isinstance(value, list):
            raise InputError(f"{place}: expected a list, got {quoted(value)}.")
        for number, item in enumerate(value, start=1):
            check_keys(item, get_args(kind)[0], f"{place}[{number}].")
    elif value is not None:
        for option in get_args(kind):
            _check_part(value, option, place)


def _check_length(value, place):
    if isinstance(value, list) and len(value) > MAX_ITEMS:
        raise InputError(f"{place} has {counted(len(value), 'value')}, expected at most {MAX_ITEMS}: leave some out.")
    if isinstance(value, str) and len(value) > MAX_CHARACTERS:
        raise InputError(
            f"{place} has {counted(len(value), 'character')}, expected at most {MAX_CHARACTERS}: shorten it."
        )
    if isinstance(value, int) and abs(value) >= MAX_INTEGER:
        raise InputError(f"{place} must be a number below 2^63: got {quoted(value)}.")


def flag_kinds(config_class=RunConfig, prefix="--"):
    """Returns a dict from each flag of the configuration, such as `--data.batch_size`, to its type."""
    kinds = {}
    for name, kind in get_type_hints(config_class).items():
        kinds[f"{prefix}{name}"] = kind
        if is_dataclass(kind):
            kinds |= flag_kinds(kind, f"{prefix}{name}.")
    return kinds


def flag_names():
    """Lists all flags of the configuration, such as `--data.batch_size`."""
    return list(flag_kinds())
