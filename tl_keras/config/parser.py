"""Parser of the command line and of configuration files, and its messages in one line.

Only this folder imports jsonargparse.
"""

import re

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, set_loader

from tl_keras.config.config_files import load_settings, shipped_configs
from tl_keras.config.run_config import RunConfig
from tl_keras.errors import MAX_QUOTED, VALUE_KINDS, quoted, unknown_name
from tl_keras.phases import Phase, Plateau

PARTS = {
    "phases": (Phase, "{train: head, epochs: 3}"),
    "phases.until": (Plateau, "{monitor: val_loss, patience: 3}"),
}
"""From keys whose values are mappings to the dataclass of the mapping and an example."""

NO_MAPPING = re.compile(r"(?:Expected a dot import path string:|Not a valid subclass of \w+\. Got value:) (.*)")
"""What the parser says of a value in the place of a mapping."""
NOISE = re.compile(
    "Parser key|Does not validate|Subtypes:|Errors:|Problem with|Expected a NoneType|Subclass types|a class path|"
    r"a dict with|Given value type|Given value: (Namespace|\[\{|\[Namespace)"
)
"""Start of the lines that say nothing about the mistake."""


def make_parser(actions):
    """Builds the parser of `RunConfig`.

    Args:
        actions: dict from the flag of an action, such as "--print_phases", to its help text.

    Returns:
        `jsonargparse.ArgumentParser`.
    """
    set_loader("yaml", load_settings, exceptions=(yaml.YAMLError,))
    parser = ArgumentParser(
        prog="python -m tl_keras.train",
        description="Trains, evaluates and saves a model from data and pretrained weights.",
        exit_on_error=False,
        print_config=None,
    )
    parser.add_argument(
        "--config", action=ActionConfigFile, help=f"YAML file, or a shipped one: {', '.join(shipped_configs())}."
    )
    for flag, explanation in actions.items():
        parser.add_argument(flag, action="store_true", help=explanation)
    parser.add_class_arguments(RunConfig)
    return parser


def one_sentence(message):
    """Shortens a nested report of jsonargparse to the key, the received value and the expected value."""
    key = ".".join(re.findall(r'Parser key "([^"]+)"', message))
    if choice := re.search(r"Expected a typing.Literal\[(.*)\](?:\. Got|(?s:.*?)Given) value: (.*)", message):
        return str(unknown_name(key, choice[2], re.findall(r"'([^']*)'", choice[1])))
    if key in PARTS and (option := re.search(r"Option '(.*)' is not accepted", message)):
        return str(unknown_name(f"{key} key", option[1], PARTS[key][0].__dataclass_fields__))
    if key in PARTS and (value := NO_MAPPING.search(message)):
        return f"{key}: expected keys and values, such as {PARTS[key][1]}, got {quoted(value[1])}."
    message = re.sub(r"Expected an? (?:<class ')?(\w+)(?:'>)?\. Got value: (.*)", r"expected \1, got '\2'.", message)
    message = re.sub(r"<class '(\w+)'>", r"\1", message)
    lines = [line.strip(" -") for line in message.splitlines()]
    sentence = " ".join(line for line in lines if line and not NOISE.match(line))
    if wrong := re.search(r"^((?:Expected an? \w+ )+)Given value: (.*)", sentence):
        kinds = " or ".join(re.findall(r"Expected an? (\w+)", wrong[1]))
        sentence = f"expected {kinds}, got '{wrong[2]}'."
    sentence = re.sub(r"(got '.*'\.)(?: Expected an? \w+)* Given value: .*", r"\1", sentence)
    sentence = re.sub(
        r"^expected (\w+(?: or \w+)*), got", lambda found: f"expected {_in_words(found[1])}, got", sentence
    )
    sentence = re.sub(rf"(\S{{{MAX_QUOTED}}})\S+", r"\1…", sentence)
    return f"{key}: {sentence}" if key else sentence


def _in_words(kinds):
    return ", or ".join(VALUE_KINDS.get(kind, kind) for kind in kinds.split(" or "))
