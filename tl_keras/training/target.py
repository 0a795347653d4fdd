"""The target domain of a run: its examples, whose labels are hidden, and what must hold to adapt to it."""

from dataclasses import dataclass
from typing import Any

from tl_keras import adaptation, data, transfer
from tl_keras.config.adaptation_config import FEATURES_ONLY, STATISTICS_ONLY
from tl_keras.errors import InputError, counted
from tl_keras.tasks.registry import TASKS

MIN_TARGETS = 16
"""Examples to adapt to."""


@dataclass(frozen=True, eq=False)
class Target:
    """Holds the examples of the target domain."""

    splits: Any
    """What the task's `load_target` returned: the labels of `train` mean nothing; `test`, for the report alone, has the
    true ones and may be empty."""
    upper_bound_splits: Any
    """The same with all labels, for the upper bound; None where that is not asked for."""
    notes: tuple[str, ...]
    """Sentences for the user."""


def load_target(config, splits):
    """Loads the target domain and hides its labels.

    Args:
        config: `RunConfig` with `adaptation.target`.
        splits: what the task's `load_data` returned.

    Returns:
        `Target`.

    Raises:
        InputError: the target cannot be used, or is too small.
    """
    task, settings = TASKS[config.task], config.adaptation
    records = task.find_target(config, splits.class_names)
    hidden = data.hide_labels(records, config.data.test_fraction, config.seed)
    loaded = task.load_target(config, hidden, splits)
    if len(loaded.train) < MIN_TARGETS:
        raise InputError(
            f"The target {settings.target!r} has {counted(len(loaded.train), 'example')} to adapt to: expected at "
            f"least {MIN_TARGETS}."
        )
    upper_bound_splits = None
    if settings.upper_bound:
        if not len(loaded.test):
            raise InputError(
                f"adaptation.upper_bound trains on the target's labels, but {settings.target!r} has none: leave it out."
            )
        revealed = data.split_records(
            data.reveal_labels(records, hidden),
            validation_fraction=config.data.validation_fraction,
            seed=config.seed,
        )
        upper_bound_splits = task.load_target(config, revealed, splits)
    return Target(loaded, upper_bound_splits, records.notes)


def describe_target(target):
    """Describes in one line what a model is adapted to.

    Args:
        target: `Target`.
    """
    report = f"{len(target.splits.test)} with labels for the report" if len(target.splits.test) else "none with labels"
    return f"target: {counted(len(target.splits.train), 'example')} without labels, {report}"


def check_method(config, blocks):
    """Refuses a method of adaptation that changes features where the head alone would be trained.

    Args:
        config: `RunConfig`.
        blocks: names of the model's blocks, the head last; None if they are not known yet.

    Raises:
        InputError: names the block before the head.
    """
    trained = _configured_blocks(config)
    if blocks and config.adaptation.method in FEATURES_ONLY and trained in (blocks[-1], [blocks[-1]]):
        raise _head_alone(config, blocks)


def check_model(config, model, phases):
    """Refuses a method of adaptation that cannot change the model, before anything is trained.

    Args:
        config: `RunConfig`.
        model: classifier.
        phases: list of `Phase`, as they will be trained.

    Raises:
        InputError: the model has no batch normalization, no vector before its head or lacks the block, or nothing that
            the method changes would be trained.
    """
    method, blocks = config.adaptation.method, transfer.block_names(model)
    trained = transfer.trainable_blocks(model, config.adaptation.train or phases[-1].train)
    if trained == blocks[-1:] and method in FEATURES_ONLY:
        raise _head_alone(config, blocks)
    if method in STATISTICS_ONLY:
        adaptation.require_batch_norm(model, method)
    transfer.features_before_head(model)


def _configured_blocks(config):
    """Returns what adaptation trains as far as the configuration alone says it."""
    if config.adaptation.train is not None:
        return config.adaptation.train
    if config.phases:
        return config.phases[-1].train
    return "head" if config.recipe == "feature_extraction" else None


def _head_alone(config, blocks):
    return InputError(
        f"adaptation.method {config.adaptation.method} changes the features before the head, but the head alone would "
        f"learn: give --adaptation.train {blocks[-2]}, or an earlier block."
    )
