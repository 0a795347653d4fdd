"""Chooses the recipe of a run that names none, and checks what goes with the recipe "auto"."""

from tl_keras.errors import UnusedSetting
from tl_keras.recipes import AUTO

DEFAULT_RECIPE = "progressive_unfreezing"
"""Recipe of a run that names none and cannot take "auto"; also that of a run with phases, which then has no effect."""


def complete_recipe(config, task):
    """Returns the recipe of a configuration: the given one, or the default of its task and settings.

    "auto" is the default for classification with pretrained weights. Whoever sets what it would decide, such as epochs
    or an augmentation, gets the recipe that these settings belong to, "progressive_unfreezing".

    Args:
        config: `RunConfig`, not yet completed.
        task: its `Task`.

    Raises:
        InputError: "auto" was given beside a setting that it decides, or for a task that does not support it.
    """
    if config.recipe is None:
        suits = task.supports_auto and config.model.weights != "none" and not _settings_against_auto(config)
        return AUTO if suits else DEFAULT_RECIPE
    if config.recipe == AUTO:
        if not task.supports_auto:
            message = f"recipe auto is for classification: take progressive_unfreezing for {task.name}."
            raise UnusedSetting(message, "recipe")
        if against := _settings_against_auto(config):
            raise UnusedSetting(
                f"{against[0]} has no effect with recipe auto, which decides by the data: leave it out, or take "
                "--recipe progressive_unfreezing.",
                against[0].partition(" ")[0],
            )
    return config.recipe


def _settings_against_auto(config):
    """Lists the names of settings that "auto" would have to ignore."""
    settings = {
        "phases": config.phases is not None,
        "unfreeze_from": config.unfreeze_from is not None,
        "epochs": config.epochs is not None,
        "learning_rate": config.learning_rate is not None,
        "block_decay": config.block_decay is not None,
        "patience": config.patience is not None,
        "restore_best": config.restore_best is not None,
        "batch_norm": config.batch_norm != "inference",
        "data.augmentation": config.data.augmentation not in (None, "none"),
        "model.hidden_units": config.model.hidden_units is not None,
        "model.lora_rank": config.model.lora_rank is not None,
        "model.label_smoothing": config.model.label_smoothing != 0,
        "optimizer.accumulation_steps": config.optimizer.accumulation_steps > 1,
        "optimizer.ema_momentum": config.optimizer.ema_momentum is not None,
        "adaptation.target": config.adaptation.target is not None,
        "cache.views": config.cache.views is not None,
        "cache.mode on": config.cache.mode == "on",
    }
    return [name for name, is_set in settings.items() if is_set]
