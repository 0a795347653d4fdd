"""Docstrings of dataclasses that list each field, for `help`, `--help` and `--print_config`."""

import ast
import inspect
import re
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from itertools import pairwise

INDENT = " " * 8


def document_fields(dataclass):
    """Appends the fields of a dataclass to its docstring: name, type, default, and the string below the field.

    Args:
        dataclass: class decorated with `dataclasses.dataclass`. Where its source is missing, the strings are, too.

    Returns:
        The class.
    """
    meanings = _strings_below_fields(dataclass)
    lines = [inspect.cleandoc(dataclass.__doc__), "", "Attributes:"]
    for field in fields(dataclass):
        lines.append(f"    {_head(field)}:")
        lines += textwrap.wrap(meanings.get(field.name, ""), 100, initial_indent=INDENT, subsequent_indent=INDENT)
    dataclass.__doc__ = "\n".join(lines)
    return dataclass


def _strings_below_fields(dataclass):
    try:
        source = inspect.getsource(dataclass)
    except (OSError, TypeError):
        return {}
    statements = ast.parse(textwrap.dedent(source)).body[0].body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(statements)
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }


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
