"""Writes configurations as YAML that `--config` reads back."""

import functools
import re
from dataclasses import asdict

import yaml

from tl_keras.config.parser import make_parser
from tl_keras.system.plain_yaml import load_yaml


def config_text(config):
    """Writes a configuration as YAML, each key under its explanation, that `--config` reads back.

    Args:
        config: `RunConfig`.

    Returns:
        The YAML text.
    """
    parser = make_parser({})
    values = parser.parse_object(asdict(config))
    values.pop("print_config")
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
