"""Finds out which backbones can be measured, as far as that is possible without data and without TensorFlow."""

from dataclasses import dataclass, replace

from tl_keras.config.run_config import RunConfig
from tl_keras.errors import InputError
from tl_keras.recipes import AUTO
from tl_keras.tasks.registry import TASKS


@dataclass(frozen=True)
class Candidates:
    """Holds the backbones to measure.

    Attributes:
        configs: dict from the name of a backbone to the `RunConfig` with it, in the order of the user; not empty.
        skipped: dict from the name of a backbone that cannot be measured to the reason.
    """

    configs: dict[str, RunConfig]
    skipped: dict[str, str]


def find_candidates(config, backbones):
    """Sorts out the backbones whose weights are not at hand.

    Args:
        config: `RunConfig` with recipe "auto".
        backbones: list of values of `model.backbone`.

    Returns:
        `Candidates`.

    Raises:
        InputError: the recipe trains, the name of a backbone is unknown, or no backbone is left.
    """
    if config.recipe != AUTO:
        raise InputError(f"recommend compares backbones without training them, but the recipe is {config.recipe}.")
    configs, skipped = {}, {}
    for name in dict.fromkeys(backbones):
        try:
            candidate = replace(config, model=replace(config.model, backbone=name))
            TASKS[config.task].check_sources(candidate)
            configs[name] = candidate
        except InputError as error:
            # A name that does not exist is mistyped.
            if "model.backbone" in getattr(error, "names", ()):
                raise
            skipped[name] = str(error)
    if not configs:
        raise nothing_left(skipped)
    return Candidates(configs, skipped)


def nothing_left(skipped):
    """Builds the error for the case that no backbone can be measured, an `InputError` with all reasons."""
    return InputError(f"No backbone can be measured: {'; '.join(f'{name}: {skipped[name]}' for name in skipped)}")
