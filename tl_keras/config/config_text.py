"""Configurations as YAML text that `--config` reads back."""

import functools
import re
from dataclasses import asdict

import yaml

from tl_keras.config.parser import make_parser
from tl_keras.system.plain_yaml import load_yaml


def config_text(config):
    """Formats a configuration as YAML with a comment above each key.

    Args:
        config: `RunConfig`.

    Returns:
        The YAML text.
    """
    parser = make_parser({})
    values = parser.parse_object(asdict(config))
    words = {key.rpartition(".")[2]: value for key, value in values.items() if isinstance(value, str)}
    body = parser.dump(values, skip_unset=False, with_comments=True).split("\n", 2)[2]
    body = re.sub(r" [(](required, )?type: .*[)]$", "", body, flags=re.M)
    body = re.sub(r"^( *)(\w+): ([^'\"\s].*)$", functools.partial(_quoted, words), body, flags=re.M)
    return f"# Run it: python -m tl_keras.train --config THIS_FILE\n{body}"


def _quoted(words, line):
    """Quotes a string that a YAML reader could interpret as a number, a date or a boolean."""
    indent, key, text = line.groups()
    read = [load(text) for load in (load_yaml, yaml.safe_load)] if words.get(key) == text else []
    return line.group() if all(isinstance(value, str) for value in read) else f"{indent}{key}: '{text}'"


def phases_text(phases):
    """Formats phases as YAML, one line each, for the key `phases` of a configuration.

    Args:
        phases: list of `Phase`.

    Returns:
        The YAML text.
    """
    rows = [{name: value for name, value in asdict(phase).items() if value is not None} for phase in phases]
    return "".join(yaml.safe_dump([row], default_flow_style=None, sort_keys=False, width=1000) for row in rows)
