"""Checks that the parts of the configuration share."""

import math
from dataclasses import MISSING, fields

from tl_keras.errors import InputError


def check_least(config, prefix, bounds):
    """Refuses numbers that are too small.

    Args:
        config: dataclass.
        prefix: where it stands in the configuration, such as "data"; "" is the top.
        bounds: dict from field to the least that it may be; None passes.

    Raises:
        InputError: names the field.
    """
    for name, least in bounds.items():
        value = getattr(config, name)
        if value is not None and value < least:
            raise InputError(f"{_full_name(prefix, name)} must be at least {least}: got {value}.")


def check_unused(config, prefix, names, where):
    """Refuses settings that were given although they have no effect.

    Args:
        config: dataclass.
        prefix: as for `check_least`.
        names: fields that must have their default; None for all.
        where: where they have none, such as "without adaptation.target".

    Raises:
        InputError: names the field.
    """
    for field in fields(config):
        usual = field.default_factory() if field.default is MISSING else field.default
        if (names is None or field.name in names) and getattr(config, field.name) != usual:
            raise InputError(f"{_full_name(prefix, field.name)} has no effect {where}: leave it out.")


def check_above_zero(config, prefix, name):
    """Refuses a number that is 0, negative, infinite or none at all.

    Args:
        config: dataclass.
        prefix: as for `check_least`.
        name: field; None in it passes.

    Raises:
        InputError: names the field.
    """
    value = getattr(config, name)
    if value is not None and not 0 < value < math.inf:
        raise InputError(f"{_full_name(prefix, name)} must be above 0: got {value}.")


def _full_name(prefix, name):
    return f"{prefix}.{name}" if prefix else name
