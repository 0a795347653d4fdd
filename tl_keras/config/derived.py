"""Copies of a configuration that a run makes for itself, without the checks of what a user writes."""

import copy


def derive(settings, **changes):
    """Copies settings and changes some, without checking how they go together.

    A run combines settings that would mean nothing in a file, such as several cached views of images that an inner step
    does not augment. The completed defaults stay, too; `dataclasses.replace` would check and complete the copy.

    Args:
        settings: `RunConfig` or one of its parts.
        **changes: new values of its fields.

    Returns:
        Settings of the same class.
    """
    derived = copy.copy(settings)
    for name, value in changes.items():
        getattr(settings, name)  # a misspelled field is an AttributeError
        object.__setattr__(derived, name, value)
    return derived


def without_augmentation(config):
    """Copies a configuration for a pass over the training images as they are.

    Args:
        config: `RunConfig`.

    Returns:
        `RunConfig` without augmentation, and without the views that it would be cached in.
    """
    data, cache = derive(config.data, augmentation="none"), derive(config.cache, views=None)
    return derive(config, data=data, cache=cache)
