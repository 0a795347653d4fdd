"""Trains a model phase by phase, on the images or on what its frozen blocks made of them."""

import time
from itertools import accumulate

from tl_keras import callbacks, transfer
from tl_keras.errors import InputError
from tl_keras.phases import total_epochs
from tl_keras.tasks import TASKS


def fit_phases(config, model, splits, phases, run):
    """Trains a model phase by phase, from the run's newest checkpoint on.

    Args:
        config: `RunConfig`.
        model: compiled `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        run: `RunFolder`.

    Returns:
        Dict from metric name to its value in each epoch.
    """
    staging = transfer.ProgressiveUnfreezing(phases, config.batch_norm, whole_model=model)
    staging.prepare(model)
    print(callbacks.phase_table(staging.plan), flush=True)
    epochs_done, history = callbacks.restore_newest(run / "checkpoints", model)
    lines = callbacks.ProgressLines(staging, run)
    checkpoint = callbacks.CheckpointEachEpoch(run / "checkpoints", history, whole_model=model)
    cached = cache_phases(config, model, splits, phases, epochs_done)
    for record, features in zip(staging.plan, cached, strict=True):
        first_epoch, end = max(epochs_done, record["first_epoch"]), record["first_epoch"] + record["epochs"]
        if first_epoch < end:
            learner, stored = _suffix(config, model, features) if features else (model, None)
            learner.fit(
                **TASKS[config.task].training_inputs(config, splits, first_epoch, stored),
                initial_epoch=first_epoch,
                epochs=end,
                verbose=0,
                callbacks=[staging, lines, checkpoint],
            )
    return history


def cache_phases(config, model, splits, phases, epochs_done=0):
    """Stores, in one pass over the images, what every phase to come can train on in their place.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        epochs_done: epochs that need no more training.

    Returns:
        List of a tuple `(cut, Features)` for each phase, or None where it trains on the images.

    Raises:
        InputError: the configuration insists on a cache that does not fit.
    """
    cuts = transfer.find_cuts_of_phases(model, phases) if _may_cache(config, phases) else [None] * len(phases)
    ends = accumulate(phase.epochs for phase in phases)
    cuts = [cut if end > epochs_done else None for cut, end in zip(cuts, ends, strict=True)]
    cuts = _that_fit(config, cuts, len(splits.train), len(splits.validation))
    wanted = [cut for cut in cuts if cut is not None]
    if not wanted:
        return [None] * len(phases)
    started = time.perf_counter()
    features = TASKS[config.task].compute_features(config, model, wanted, splits)
    megabytes = sum(part.images.nbytes for item in features.values() for part in (item.train, item.validation)) / 1e6
    print(
        f"cache: {len(wanted)} of {len(phases)} phases train on {megabytes:,.1f} MB of stored activations, computed in "
        f"{config.cache.views or 1} pass(es) over the training images in {time.perf_counter() - started:.1f} s",
        flush=True,
    )
    return [None if cut is None else (cut, features[id(cut)]) for cut in cuts]


def _may_cache(config, phases):
    """Activations pay when an epoch less is computed than is trained, and augmented ones only where views are given."""
    if config.cache.mode == "off" or (config.data.augmentation != "none" and config.cache.views is None):
        return False
    return config.cache.mode == "on" or total_epochs(phases) > (config.cache.views or 1)


def _that_fit(config, cuts, num_train, num_validation):
    """Keeps the cuts, the smallest first, that fit into the memory allowed."""
    examples, room = num_train * (config.cache.views or 1) + num_validation, config.cache.max_gigabytes * 1e9
    kept = {}
    for cut in sorted((cut for cut in cuts if cut is not None), key=lambda cut: transfer.bytes_per_example([cut])):
        needed = examples * transfer.bytes_per_example([*kept.values(), cut])
        if needed <= room:
            kept[id(cut)] = cut
        elif config.cache.mode == "on":
            raise InputError(
                f"The activations of all phases take {needed / 1e9:.2f} GB, more than cache.max_gigabytes "
                f"{config.cache.max_gigabytes}: allow more, give fewer cache.views, or set cache.mode auto."
            )
    return [cut if id(cut) in kept else None for cut in cuts]


def _suffix(config, model, features):
    cut, stored = features
    _, suffix = transfer.split_model(model, cut)
    TASKS[config.task].compile_model(config, suffix, model.optimizer)
    return suffix, stored
