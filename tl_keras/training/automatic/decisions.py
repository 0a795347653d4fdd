"""Decides image size and head of a run with recipe "auto"; the decisions stay in the run folder for a resumed run."""

from dataclasses import replace

from tl_keras.config.data_config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE
from tl_keras.config.derived import derive
from tl_keras.config.recipe_choice import DEFAULT_RECIPE
from tl_keras.errors import InputError, counted
from tl_keras.recipes import AUTO
from tl_keras.system.time_limit import NO_LIMIT
from tl_keras.tasks.registry import TASKS
from tl_keras.training.automatic.features import FeatureReader
from tl_keras.training.automatic.image_size import choose_size
from tl_keras.training.automatic.solved_head import MAX_EXAMPLES, solve

RECORD = "decisions.json"


def decide(config, splits, run=None, limit=NO_LIMIT):
    """Decides what a solved head reads, and solves it; this is finished even if it takes longer than the limit.

    Args:
        config: `RunConfig` with recipe "auto".
        splits: what the task's `load_data` returned.
        run: `RunFolder` that records the decisions, and whose record is repeated; None records nothing.
        limit: `TimeLimit` of the run.

    Returns:
        Tuple of the `RunConfig` with image size, blocks and pooling, the splits at this size, and the `SolvedHead`.

    Raises:
        InputError: `refit` has no effect.
    """
    if config.refit is False and not len(splits.validation):
        raise InputError(
            "refit false has no effect without validation examples, since the choices are cross-validated and all "
            "labels trained on: leave it out, or hold some out with --data.validation_fraction 0.15."
        )
    record, reader = read_decisions(run), None
    if record is None:
        size, line, reader = choose_size(config, splits, limit)
        record = {"image_size": size, "lines": [line] if line else []}
    size = record["image_size"]
    if size is not None and size != splits.train.images[0].shape[0]:
        splits = TASKS[config.task].load_resized(config, splits, size)
    if size is not None:
        config = derive(config, data=derive(config.data, image_size=size))
    solved = solve(config, splits, reader or FeatureReader(config, splits))
    solved = replace(solved, lines=(*record["lines"], *solved.lines))
    for line in solved.lines:
        print(f"auto: {line}", flush=True)
    if run and not (run / RECORD).exists():
        run.write_json(RECORD, record)
    return solved.head_input.configure(config), splits, solved


def read_decisions(run):
    """Reads the recorded decisions of a run.

    Args:
        run: `RunFolder`, or None.

    Returns:
        Dict of `image_size` and `lines`; None if nothing is recorded.

    Raises:
        InputError: the record is damaged.
    """
    if run is None or not (run / RECORD).exists():
        return None
    try:
        record = run.read_json(RECORD)
        size, lines = record["image_size"], record["lines"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(run) from error
    valid_size = size is None or (type(size) is int and MIN_IMAGE_SIZE <= size <= MAX_IMAGE_SIZE)
    if not valid_size or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise _damaged(run)
    return record


def _damaged(run):
    return InputError(f"{RECORD} of the run in {str(run.path)!r} is damaged: remove it, and it is decided again.")


def reason_for_one_device(config, splits):
    """Finds why a run takes one of several GPUs where the user has not chosen.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.

    Returns:
        A part of a sentence, or "" if it takes all.
    """
    labels = sum(TASKS[config.task].count(part) for part in (splits.train, splits.validation))
    if config.recipe != AUTO or labels > MAX_EXAMPLES:
        return ""
    return f"recipe auto with at most {MAX_EXAMPLES:,} labels; --distribute mirrored takes all, with {DEFAULT_RECIPE}"


def for_devices(config, strategy):
    """Replaces recipe "auto", which decides on one device, on several.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `RunConfig`; the same on one device.
    """
    replicas = strategy.num_replicas_in_sync
    if config.recipe != AUTO or replicas == 1:
        return config
    print(
        f"recipe: auto decides on one device, so on {counted(replicas, 'device')} it is {DEFAULT_RECIPE} (--distribute "
        "gpu or cpu takes one)",
        flush=True,
    )
    return with_default_recipe(config)


def with_default_recipe(config):
    """Replaces recipe "auto" by the default of runs that cannot take it.

    Args:
        config: `RunConfig` with recipe "auto".

    Returns:
        `RunConfig`; what "auto" leaves open has the defaults of the other recipe.
    """
    return replace(config, recipe=DEFAULT_RECIPE, refit=None, data=replace(config.data, augmentation=None))
