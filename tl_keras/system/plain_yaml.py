"""YAML without surprises: words stay words, and ambiguous or explosive documents are refused. Needs no TensorFlow.

PyYAML follows YAML 1.1, where `no` is false, `010` is 8, `1:30` is 90 and `1e-3` is a word. Here only `true` and
`false` are booleans and only decimal numbers without leading zeros are numbers, as in the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema).
"""

import re

import yaml

MAX_DEPTH = 20
"""Maximum depth of nested mappings and lists; a configuration needs five."""

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
        yaml.YAMLError: the text is not valid YAML, repeats a key, contains an alias (a few lines of aliases can expand
            to gigabytes), is deeper than `MAX_DEPTH`, or contains a number that Python does not accept.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise yaml.YAMLError(f"{error.problem or error.context} at line {mark.line + 1}") from error
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from error


class _Loader(yaml.SafeLoader):
    """Restricts PyYAML's safe loader. The loader in C would not call `compose_node`."""

    yaml_implicit_resolvers = {}

    def __init__(self, stream):
        super().__init__(stream)
        self.depth = 0

    def compose_node(self, parent, index):
        """Limits the depth, and refuses aliases before they are expanded."""
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(f"the alias *{event.anchor}: write out the value it stands for", event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"more than {MAX_DEPTH} nested levels", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node, deep=False):
        """Refuses a repeated key, where PyYAML would use the last value."""
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise _refusal(f"the duplicate key {key.value!r}", key.start_mark)
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)


for _kind, (_pattern, _first) in _PLAIN_VALUES.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first)


def _refusal(problem, mark):
    return yaml.constructor.ConstructorError(None, None, f"found {problem}", mark)
