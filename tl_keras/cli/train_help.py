"""Help of `python -m tl_keras.train`: the common flags, those of one part, or all of them."""

import re
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from typing import Literal, get_args, get_origin, get_type_hints

from tl_keras.config import RunConfig
from tl_keras.config.config_files import shipped_configs
from tl_keras.config.parsing import PRINT_CONFIG
from tl_keras.errors import unknown_name
from tl_keras.phases import Phase, Plateau
from tl_keras.system.documented_fields import field_meanings

WIDTH = 100
FLAGS = ("--help", "-h")
TOP = (
    "task",
    "run",
    "recipe",
    "phases",
    "epochs",
    "learning_rate",
    "patience",
    "max_time",
    "precision",
    "seed",
    "resume",
)
COMMON = {
    "data": ("path", "image_size", "batch_size", "augmentation", "examples_per_class"),
    RunConfig: TOP,
    "model": ("backbone", "weights", "head_blocks"),
}
"""Fields of the configuration and of its parts that the first page of the help shows."""
ALL, RUN, PHASES = "all", "run", "phases"
USAGE = """usage: python -m tl_keras.train [PATH] [FLAGS]

Trains, evaluates and saves a model from data and pretrained weights.

  python -m tl_keras.train                    a demonstration on shipped images
  python -m tl_keras.train photos             photos/cat/1.jpg, photos/dog/2.png, ...
  python -m tl_keras.train --config FILE      a YAML file; flags override it
  python -m tl_keras.train --config NAME      a shipped one:
                                              {shipped}
"""


def asks_for_help(arguments):
    """Returns whether a command line asks for help.

    Args:
        arguments: list of strings.
    """
    return any(argument.partition("=")[0] in FLAGS for argument in arguments)


def help_text(arguments, actions):
    """Formats the help that a command line asks for.

    Args:
        arguments: list of strings with `--help`, which a topic may follow.
        actions: dict from the flag of an action to its help text.

    Returns:
        Text of several lines.

    Raises:
        InputError: the topic is unknown.
    """
    topic, parts = _topic(arguments), _parts()
    if topic is None:
        return _common(parts, actions)
    pages = {RUN: _page(RunConfig, "--", ()), PHASES: _phases()}
    pages |= {name: _page(kind, f"--{name}.", ()) for name, kind in parts.items()}
    if topic == ALL:
        return "\n".join([USAGE.format(shipped=", ".join(shipped_configs())), _actions(actions), *pages.values()])
    if topic not in pages:
        raise unknown_name("topic of --help", topic, [ALL, *pages])
    return pages[topic]


def _topic(arguments):
    place = next(number for number, argument in enumerate(arguments) if argument.partition("=")[0] in FLAGS)
    value = arguments[place].partition("=")[2] or "".join(arguments[place + 1 : place + 2])
    return value if value and not value.startswith("-") else None


def _parts():
    return {name: kind for name, kind in get_type_hints(RunConfig).items() if is_dataclass(kind)}


def _common(parts, actions):
    pages = [
        _page(parts.get(part, RunConfig), "--" if part is RunConfig else f"--{part}.", names, shortened=True)
        for part, names in COMMON.items()
    ]
    topics = ", ".join([ALL, RUN, PHASES, *parts])
    more = f"More flags are shown by --help TOPIC. The topics are:\n{topics}\n"
    return "\n".join([USAGE.format(shipped=", ".join(shipped_configs())), *pages, _actions(actions), more])


def _actions(actions):
    return "".join(_entry(flag, text) for flag, text in (actions | PRINT_CONFIG).items())


def _phases():
    head = "Phases are a list, such as --phases '[{train: head, epochs: 3}, {train: block5}]'. Keys of a phase:\n"
    return f"{head}{_page(Phase, '', ())}\nKeys of `until`:\n{_page(Plateau, '', ())}"


def _page(config_class, prefix, names, shortened=False):
    meanings, kinds = field_meanings(config_class), get_type_hints(config_class)
    entries = []
    for field in fields(config_class):
        if is_dataclass(kinds[field.name]) or (names and field.name not in names):
            continue
        meaning = meanings.get(field.name, "")
        meaning = _first_sentence(meaning) if shortened else meaning
        entries.append(_entry(f"{prefix}{field.name}{_values(kinds[field.name])}", f"{meaning}{_default(field)}"))
    return "".join(entries)


def _first_sentence(meaning):
    """Returns the first sentence, and the one on the default."""
    first, *others = re.split(r"(?<=[.]) (?=[A-Z])", meaning)
    return " ".join([first, *(sentence for sentence in others if sentence.startswith("By default"))])


def _entry(flag, text):
    return f"  {flag}\n{textwrap.indent(textwrap.fill(text, WIDTH - 8), ' ' * 8)}\n"


def _values(kind):
    """Returns the values of a flag as the help shows them, such as " N" or " auto|on|off"."""
    options = [option for option in get_args(kind) or (kind,) if option is not type(None)]
    if get_origin(kind) is Literal:
        return f" {'|'.join(get_args(kind))}"
    if get_origin(options[0]) is Literal:
        return f" {'|'.join(get_args(options[0]))}"
    return {bool: " [false]", int: " N", float: " X", str: " TEXT"}.get(options[0], " LIST")


def _default(field):
    value = field.default
    return "" if value in (None, MISSING) or isinstance(value, bool) else f" (default {value})"
