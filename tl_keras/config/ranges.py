"""Checks that the parts of the configuration share."""

import math
from dataclasses import MISSING, fields

from tl_keras.errors import InputError, UnusedSetting


def check_minimum(config, prefix, **minima):
    """Refuses numbers below a minimum.

    Args:
        config: dataclass.
        prefix: path of the dataclass in the configuration, such as "data."; "" for the top.
        **minima: minimum of each field, by its name; None is accepted in place of a number.

    Raises:
        InputError: the message names the field.
    """
    for name, minimum in minima.items():
        value = getattr(config, name)
        if value is not None and value < minimum:
            raise InputError(f"{prefix}{name} must be at least {minimum}: got {value}.")


def check_unused(config, prefix, names, where, advice="leave it out", rivals=()):
    """Refuses settings that have no effect and differ from their default.

    Args:
        config: dataclass.
        prefix: as for `check_minimum`.
        names: fields that must have their default value; None for all.
        where: condition in which they have no effect, such as "without adaptation.target".
        advice: end of the error message, which says how to fix it.
        rivals: other settings without which the field would have an effect, if that is as good a way out.

    Raises:
        UnusedSetting: the message names the field.
    """
    for field in fields(config):
        default = field.default_factory() if field.default is MISSING else field.default
        if (names is None or field.name in names) and getattr(config, field.name) != default:
            raise UnusedSetting(
                f"{prefix}{field.name} has no effect {where}: {advice}.", f"{prefix}{field.name}", *rivals
            )


def check_above_zero(config, prefix, name):
    """Refuses a number that is 0, negative, infinite or NaN.

    Args:
        config: dataclass.
        prefix: as for `check_minimum`.
        name: name of the field; None is accepted in place of a number.

    Raises:
        InputError: the message names the field.
    """
    value = getattr(config, name)
    if value is not None and not 0 < value < math.inf:
        raise InputError(f"{prefix}{name} must be above 0: got {value}.")
