"""A check that all parts of the configuration share."""

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
            raise InputError(f"{prefix}{'.' if prefix else ''}{name} must be at least {least}: got {value}.")
