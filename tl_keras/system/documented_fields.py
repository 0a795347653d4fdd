"""Dataclasses whose docstrings list each field, for `help`, `--help` and `--print_config`."""

import ast
import inspect
import re
import textwrap
from dataclasses import MISSING, dataclass, fields, is_dataclass
from itertools import pairwise
from typing import dataclass_transform

from tl_keras.system.field_types import check_types

INDENT = " " * 8


@dataclass_transform(frozen_default=True)
def documented_dataclass(cls):
    """Makes a class a frozen dataclass, whose types are checked and whose docstring lists its fields.

    Each field is listed with its type, its default and the string below it. `check_types` runs before the class's own
    `__post_init__`.

    Args:
        cls: class with annotated fields. Where its source is missing, the strings are, too.

    Returns:
        The class.
    """
    meanings = _strings_below_fields(cls)
    cls.__post_init__ = _after_type_check(cls.__dict__.get("__post_init__"))
    lines = [inspect.cleandoc(cls.__doc__), "", "Attributes:"]
    for field in fields(dataclass(frozen=True)(cls)):
        lines.append(f"    {_head(field)}:")
        lines += textwrap.wrap(meanings.get(field.name, ""), 100, initial_indent=INDENT, subsequent_indent=INDENT)
    cls.__doc__ = "\n".join(lines)
    return cls


def _after_type_check(own_check):
    def __post_init__(self):
        check_types(self)
        if own_check:
            own_check(self)

    return __post_init__


def _strings_below_fields(cls):
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    statements = ast.parse(textwrap.dedent(source)).body[0].body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(statements)
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


def field_meanings(cls):
    """Returns a dict from each field of a documented dataclass to its meaning.

    Args:
        cls: class made by `documented_dataclass`.
    """
    entries = re.findall(rf"^    (\w+) [(].*[)]:\n((?:{INDENT}.*\n?)*)", cls.__doc__, re.M)
    return {name: " ".join(text.split()) for name, text in entries}


def _head(field):
    kind = re.sub(r"\b(\w+\.)+", "", inspect.formatannotation(field.type))
    if field.default is not MISSING:
        default = f"default {field.default!r}"
    elif field.default_factory is MISSING:
        default = "required"
    else:
        value = field.default_factory()
        default = f"default {type(value).__name__}()" if is_dataclass(value) else f"default {value!r}"
    return f"{field.name} ({kind}, {default})"
