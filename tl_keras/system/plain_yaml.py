"""YAML as it is meant: words stay words, and what would surprise or explode is refused. Knows no TensorFlow.

YAML 1.1, which PyYAML reads, takes `no` for false, `010` for 8, `1:30` for 90 and `1e-3` for a word. Here only `true`
and `false` are booleans and only decimal numbers without leading zeros are numbers, as in the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema).
"""

import re

import yaml

MAX_DEPTH = 20
"""Mappings and lists inside of each other; a configuration needs five."""

_PLAIN_VALUES = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))"
        r"|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
}


def load_yaml(text):
    """Reads one YAML document.

    Args:
        text: str.

    Returns:
        Dicts, lists, str, bool, int, float and None.

    Raises:
        yaml.YAMLError: the text is no YAML, gives a key twice, has an alias (a few lines of them can stand for
            gigabytes), is deeper than `MAX_DEPTH`, or has a number that Python does not take.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise yaml.YAMLError(f"{error.problem or error.context} at line {mark.line + 1}") from error
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from error


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, stricter; its Python version, for the one in C composes without asking."""

    yaml_implicit_resolvers = {}

    def __init__(self, stream):
        super().__init__(stream)
        self.depth = 0

    def compose_node(self, parent, index):
        """Counts the depth, and refuses aliases before they multiply."""
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(f"an alias, *{event.anchor}: write out what it stands for", event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"more than {MAX_DEPTH} levels inside of each other", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node, deep=False):
        """Refuses a key that is given twice, of which PyYAML would take the last."""
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise _refusal(f"the key {key.value!r} for the second time", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


for _kind, (_pattern, _first) in _PLAIN_VALUES.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first)


def _refusal(what, mark):
    return yaml.constructor.ConstructorError(None, None, f"found {what}", mark)
