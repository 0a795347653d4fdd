"""Completes and checks a configuration by the rules of its task."""

import os
from dataclasses import replace

from tl_keras.config.ranges import check_unused
from tl_keras.errors import UnusedSetting, unknown_name
from tl_keras.models.images.backbones import BACKBONES, HUB_PREFIX
from tl_keras.models.images.hub_folders import with_hub_prefix
from tl_keras.models.texts.backbones import TEXT_BACKBONES
from tl_keras.tasks.registry import TASKS


def find_task(name):
    """Returns a task by its name.

    Args:
        name: key in `TASKS`.

    Returns:
        `Task`.

    Raises:
        InputError: the name is unknown; the message suggests the nearest one.
    """
    if name not in TASKS:
        raise unknown_name("task", name, TASKS)
    return TASKS[name]


def complete_parts(config, task):
    """Replaces null in a configuration by the defaults of its task, and completes the name of a backbone's folder.

    Args:
        config: `RunConfig`.
        task: `Task`.

    Returns:
        Dict from the name of each part that changes, such as "data", to its completed dataclass.
    """
    completed = {}
    for part, values in task.defaults_for(config).items():
        settings = getattr(config, part)
        missing = {name: value for name, value in values.items() if getattr(settings, name) is None}
        completed[part] = replace(settings, **missing)
    model = completed.get("model", config.model)
    known = (None, *task.backbones(config), *TEXT_BACKBONES)
    if model.backbone not in known and not task.accepts_backbone_folders:
        completed["model"] = replace(model, backbone=with_hub_prefix(model.backbone))
    return completed


def check_task(config, task):
    """Refuses settings that the task of a configuration cannot use.

    Args:
        config: `RunConfig`, completed.
        task: its `Task`.

    Raises:
        InputError: names the setting, and what to do.
    """
    for part, names in task.unused_settings.items():
        check_unused(getattr(config, part), f"{part}.", names, f"on {task.name}")
    _check_backbone(config.model.backbone, task.backbones(config), task.accepts_backbone_folders)
    _check_weights(config.model.weights, task.weights(config), task.network(config)[1])
    task.check_config(config)
    if config.data.augmentation not in task.augmentations:
        raise UnusedSetting(
            f"data.augmentation {config.data.augmentation} is not for {task.name}: take "
            f"{' or '.join(task.augmentations)}.",
            "data.augmentation",
        )


def _check_weights(name, known, network):
    """Refuses named weights of another task or network; those that do not exist are refused before a run."""
    names = {name for task in TASKS.values() for name in task.named_weights}
    if name in names and name not in known and not os.path.exists(name):
        raise UnusedSetting(str(unknown_name(f"model.weights of {network}", name, [*known, "PATH"])), "model.weights")


def _check_backbone(name, known, accepts_folders):
    for others, things in ((BACKBONES, "images"), (TEXT_BACKBONES, "texts")):
        if name in others and name not in known:
            message = f"model.backbone {name} is for {things}: leave it out, or take {known[0]}, for example."
            raise UnusedSetting(message, "model.backbone")
    if name not in known and not name.startswith(HUB_PREFIX) and not (accepts_folders and os.sep in name):
        raise UnusedSetting(str(unknown_name("model.backbone", name, known)), "model.backbone")
