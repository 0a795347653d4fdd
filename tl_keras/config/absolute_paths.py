"""Paths in a configuration: ~ expanded, and absolute, so that a run can be resumed and evaluated from any folder."""

import os
from dataclasses import replace

from tl_keras.data.boxes.example_sets import BOX_EXAMPLES
from tl_keras.data.examples.catalogue import EXAMPLES
from tl_keras.data.reading.locations import TFDS_PREFIX
from tl_keras.models.images.backbones import HUB_PREFIX
from tl_keras.tasks.registry import TASKS

_PATHS = {"data": ("path",), "model": ("weights", "backbone"), "cache": ("folder",), "adaptation": ("target",)}


def expand_home(config):
    """Expands a leading ~ in the paths of a configuration.

    Args:
        config: `RunConfig`, not yet completed.

    Returns:
        Dict from the name of each part that changes, such as "data", or of a path, "run", to its new value.
    """
    changed = {"run": os.path.expanduser(config.run)} if _starts_at_home(config.run) else {}
    for part, names in _PATHS.items():
        settings = getattr(config, part)
        paths = {name: getattr(settings, name) for name in names if _starts_at_home(getattr(settings, name))}
        if paths:
            changed[part] = replace(settings, **{name: os.path.expanduser(path) for name, path in paths.items()})
    return changed


def with_absolute_paths(config):
    """Makes the relative paths of a configuration absolute; names of data sets, weights and networks stay unchanged.

    Args:
        config: `RunConfig`.

    Returns:
        `RunConfig`.
    """
    return replace(
        config,
        data=replace(config.data, path=_absolute_data(config.data.path)),
        model=replace(
            config.model,
            backbone=_absolute_backbone(config.model.backbone),
            weights=_absolute_weights(config.model.weights, TASKS[config.task].weights(config)),
        ),
        cache=replace(config.cache, folder=config.cache.folder and os.path.abspath(config.cache.folder)),
        adaptation=replace(config.adaptation, target=_absolute_data(config.adaptation.target)),
    )


def _absolute_data(path):
    if path is None or path in EXAMPLES or path in BOX_EXAMPLES or path.startswith(TFDS_PREFIX):
        return path
    return os.path.abspath(path)


def _absolute_weights(weights, names):
    """Returns the absolute path of a file or run folder, also of one in the working folder such as "myrun"."""
    is_path = os.path.splitext(weights)[1] or os.sep in weights or os.path.exists(weights)
    return os.path.abspath(weights) if is_path and weights not in names else weights


def _absolute_backbone(name):
    prefix = HUB_PREFIX if name.startswith(HUB_PREFIX) else ""
    folder = name.removeprefix(prefix)
    # Names of hub presets may also contain slashes.
    return prefix + os.path.abspath(folder) if os.sep in folder and os.path.isdir(folder) else name


def _starts_at_home(path):
    return isinstance(path, str) and path.startswith("~")
