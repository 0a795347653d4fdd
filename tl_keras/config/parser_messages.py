"""Condenses the nested error reports of jsonargparse to one sentence."""

import re

from tl_keras.errors import unknown_name
from tl_keras.phases import Phase, Plateau

PARTS = {
    "phases": (Phase, "{train: head, epochs: 3}"),
    "phases.until": (Plateau, "{monitor: val_loss, patience: 3}"),
}
"""Keys of the configuration that hold keys themselves: which ones, and an example."""


def one_sentence(message):
    """Condenses the parser's nested report to what the user needs: the key, what was got, what was expected."""
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    if choice := re.search(r"Expected a typing.Literal\[(.*)\](?:\. Got|(?s:.*?)Given) value: (.*)", message):
        return str(unknown_name(key, choice[2], re.findall(r"'([^']*)'", choice[1])))
    if key in PARTS and (option := re.search(r"Option '(.*)' is not accepted", message)):
        return str(unknown_name(f"{key} key", option[1], PARTS[key][0].__dataclass_fields__))
    if key in PARTS and (value := re.search(r"Expected a dot import path string: (.*)", message)):
        return f"{key}: expected keys and values, such as {PARTS[key][1]}, got {value[1]!r}."
    message = re.sub(r"Expected an? (?:<class ')?(\w+)(?:'>)?\. Got value: (.*)", r"expected \1, got '\2'.", message)
    message = re.sub(r"<class '(\w+)'>", r"\1", message)
    noise = (
        "Parser key",
        "Does not validate",
        "Subtypes:",
        "Errors:",
        "Problem with",
        "Expected a NoneType",
        "Subclass types",
        "a class path",
        "a dict with",
        "Given value type",
        "Given value: Namespace",
        "Given value: [{",
        "Given value: [Namespace",
    )
    lines = [line.strip(" -") for line in message.splitlines()]
    telling = " ".join(line for line in lines if line and not line.startswith(noise))
    telling = re.sub(r"^Expected an? (\w+) Given value: (.*)", r"expected \1, got '\2'.", telling)
    telling = re.sub(r"(got '.*'\.) Given value: .*", r"\1", telling)
    return f"{key}: {telling}" if key else telling
