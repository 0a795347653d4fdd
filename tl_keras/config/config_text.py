"""Configurations as YAML text that `--config` reads back."""

import math
import textwrap
from dataclasses import asdict, fields, is_dataclass

import yaml

from tl_keras.system.documented_fields import field_meanings
from tl_keras.system.escaping import CONTROL_CHARACTERS, LAYOUT
from tl_keras.system.plain_yaml import load_yaml

WIDTH = 94
READING_FLAGS = (
    "data.path_column",
    "data.label_column",
    "data.label_separator",
    "data.split_column",
    "data.on_bad_file",
    "data.max_bad_files",
    "text.text_column",
    "text.second_text_column",
    "detection.box_columns",
    "detection.box_format",
    "detection.on_bad_box",
)
"""Settings that other data may need to be read by."""


def config_text(config):
    """Formats a configuration as YAML with a comment above each key.

    Args:
        config: `RunConfig`.

    Returns:
        The YAML text.
    """
    return "\n".join(["# Run it: python -m tl_keras.train --config THIS_FILE", *_lines(config)[1:], ""])


def flat_settings(config, prefix=""):
    """Lists the settings of a configuration that are not null.

    Args:
        config: `RunConfig`, or a part of it.
        prefix: start of the names, such as "data.".

    Returns:
        Dict from a name such as "data.batch_size" to a number, a text or a bool; lists are formatted as text.
    """
    settings = {}
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            settings |= flat_settings(value, f"{prefix}{field.name}.")
        elif value is not None:
            settings[f"{prefix}{field.name}"] = value if isinstance(value, int | float | str) else str(value)
    return settings


def reading_flags(config):
    """Lists the flags by which a command reads data as a configuration does.

    Args:
        config: `RunConfig`.

    Returns:
        List of str, flags and their values; empty where all settings for reading have their defaults.
    """
    flags = []
    for flag in READING_FLAGS:
        part, name = flag.split(".")
        settings = getattr(config, part)
        if (value := getattr(settings, name)) != getattr(type(settings)(), name):
            flags += [f"--{flag}", str(value)]
    return flags


def _lines(part):
    """Formats a dataclass, one key after the other."""
    lines, meanings = [], field_meanings(type(part))
    for field in fields(part):
        comment = textwrap.wrap(meanings.get(field.name, ""), WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines += ["", *comment, *_entry(field.name, getattr(part, field.name))]
    return lines


def _entry(key, value):
    if is_dataclass(value):
        return [f"{key}:", *_indented(_lines(value))]
    if isinstance(value, list | tuple) and value:
        items = [["-", *_indented(_lines(one))[1:]] if is_dataclass(one) else [f"- {_scalar(one)}"] for one in value]
        return [f"{key}:", *(line for item in items for line in item)]
    return [f"{key}: {_scalar(value)}".rstrip()]


def _indented(lines):
    return [f"  {line}".rstrip() for line in lines]


def _scalar(value):
    """Formats a value so that readers of YAML 1.1 and 1.2 agree on it, and terminals show it as it is."""
    if value is None:
        return ""
    text = yaml.safe_dump(value, allow_unicode=True, width=math.inf).removesuffix("...\n").strip()
    if load_yaml(text) == value == yaml.safe_load(text) and not CONTROL_CHARACTERS.search(text):
        return text
    text = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).strip()
    return CONTROL_CHARACTERS.sub(lambda match: match[0] if match[0] in LAYOUT else f"\\u{ord(match[0]):04x}", text)


def phases_text(phases):
    """Formats phases as YAML, one line each, for the key `phases` of a configuration.

    Args:
        phases: list of `Phase`.

    Returns:
        The YAML text.
    """
    rows = [{name: value for name, value in asdict(phase).items() if value is not None} for phase in phases]
    return "".join(yaml.safe_dump([row], default_flow_style=None, sort_keys=False, width=1000) for row in rows)
