"""Absolute paths in a configuration, so that a run can be resumed and evaluated from any folder."""

import os
from dataclasses import replace

from tl_keras.data.boxes.example_sets import BOX_EXAMPLES
from tl_keras.data.examples.catalogue import EXAMPLES
from tl_keras.data.reading.locations import TFDS_PREFIX
from tl_keras.models.images.backbones import HUB_PREFIX


def with_absolute_paths(config):
    """Makes the relative paths of a configuration absolute; names of data sets, weights and networks stay unchanged.

    Args:
        config: `RunConfig`.

    Returns:
        `RunConfig`.
    """
    weights = config.model.weights
    return replace(
        config,
        data=replace(config.data, path=_absolute_data(config.data.path)),
        model=replace(
            config.model,
            backbone=_absolute_backbone(config.model.backbone),
            weights=os.path.abspath(weights) if os.path.splitext(weights)[1] or os.sep in weights else weights,
        ),
        cache=replace(config.cache, folder=config.cache.folder and os.path.abspath(config.cache.folder)),
        adaptation=replace(config.adaptation, target=_absolute_data(config.adaptation.target)),
    )


def _absolute_data(path):
    if path is None or path in EXAMPLES or path in BOX_EXAMPLES or path.startswith(TFDS_PREFIX):
        return path
    return os.path.abspath(path)


def _absolute_backbone(name):
    prefix = HUB_PREFIX if name.startswith(HUB_PREFIX) else ""
    folder = name.removeprefix(prefix)
    # Names of hub presets may also contain slashes.
    return prefix + os.path.abspath(folder) if os.sep in folder and os.path.isdir(folder) else name
