"""The keys of a configuration, as files and flags spell them."""

from dataclasses import is_dataclass
from typing import get_args, get_origin, get_type_hints

from tl_keras.config.run_config import RunConfig
from tl_keras.errors import InputError, unknown_name


def check_keys(mapping, config_class=RunConfig, prefix=""):
    """Refuses what the configuration does not know, at any depth: keys, text for keys, null where it means nothing.

    The parser would take such a text, or the key `class_path`, for the name of a class and import its module.

    Args:
        mapping: nested dict, as read from a YAML file.
        config_class: dataclass that the mapping describes.
        prefix: where the mapping stands, such as "data.".

    Raises:
        InputError: names the key and the nearest valid one.
    """
    if not isinstance(mapping, dict):
        raise InputError(
            f"{prefix.rstrip('.') or 'The configuration'} must be a mapping of keys to values: got {mapping!r}."
        )
    known = get_type_hints(config_class)
    for key, value in mapping.items():
        if key not in known:
            raise unknown_name("configuration key", f"{prefix}{key}", [f"{prefix}{name}" for name in known])
        if value is None and not is_dataclass(known[key]) and type(None) not in get_args(known[key]):
            raise InputError(f"{prefix}{key} is null, which means nothing here: give a value, or leave it out.")
        _check_part(value, known[key], f"{prefix}{key}")


def _check_part(value, kind, place):
    """Looks for dataclasses in the type of a key, as in `Plateau | None` or `list[Phase] | None`."""
    if is_dataclass(kind):
        check_keys(value, kind, f"{place}.")
    elif get_origin(kind) is list and is_dataclass(get_args(kind)[0]):
        if not isinstance(value, list):
            raise InputError(f"{place}: expected list, got {value!r}.")
        for number, item in enumerate(value, start=1):
            check_keys(item, get_args(kind)[0], f"{place}[{number}].")
    elif value is not None:
        for option in get_args(kind):
            _check_part(value, option, place)


def flag_names(config_class=RunConfig, prefix="--"):
    """Lists every flag that the configuration answers to, such as `--data.batch_size`."""
    names = []
    for name, kind in get_type_hints(config_class).items():
        names.append(f"{prefix}{name}")
        if is_dataclass(kind):
            names += flag_names(kind, f"{prefix}{name}.")
    return names
