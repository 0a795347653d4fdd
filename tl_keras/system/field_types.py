"""Refuses values of a wrong type in the fields of a dataclass, which Python itself does not check."""

import functools
import os
from dataclasses import is_dataclass
from numbers import Integral, Real
from typing import Literal, get_args, get_origin, get_type_hints

from tl_keras.errors import InputError, quoted, unknown_name


def check_types(instance):
    """Checks each field of a dataclass by its annotation, and converts paths to text.

    Args:
        instance: dataclass, perhaps frozen, whose fields hold text, numbers, truth values, lists and dataclasses.

    Raises:
        InputError: names the class, the field, the value and the expected type.
    """
    for name, kind in _hints(type(instance)).items():
        value = getattr(instance, name)
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
            object.__setattr__(instance, name, value)
        if not _matches(value, kind):
            raise _wrong_type(type(instance).__name__, name, value, kind)


@functools.cache
def _hints(cls):
    return get_type_hints(cls)


def _matches(value, kind):
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_origin(kind) is list:
        return isinstance(value, list | tuple) and all(_matches(one, get_args(kind)[0]) for one in value)
    if get_args(kind):
        return any(_matches(value, option) for option in get_args(kind))
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    return isinstance(value, kind)


def _wrong_type(owner, name, value, kind):
    options = [option for option in _options(kind) if option is not type(None)]
    for option in options:
        if get_origin(option) is Literal and isinstance(value, str):
            return unknown_name(f"{owner}.{name}", value, get_args(option))
    expected = " or ".join(map(_name, options))
    advice = "".join(f"; write {name}={example}" for example in map(_example, options) if example)
    return InputError(f"{owner}.{name}: got {quoted(value)}, expected {expected}{advice}.")


def _options(kind):
    return (kind,) if get_origin(kind) in (None, Literal, list) else get_args(kind)


def _name(kind):
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    if get_origin(kind) is list:
        return f"a list of {_name(get_args(kind)[0])}"
    return kind.__name__


def _example(kind):
    """Returns how a value that contains a dataclass is written, or an empty text."""
    if get_origin(kind) is list and is_dataclass(get_args(kind)[0]):
        return f"[{_example(get_args(kind)[0])}]"
    return f"tl.{kind.__name__}(...)" if is_dataclass(kind) else ""
