"""Trains a model phase by phase, on the images or on what its frozen blocks made of them."""

import time
from dataclasses import replace

from tl_keras import callbacks, transfer
from tl_keras.errors import InputError
from tl_keras.phases import total_epochs
from tl_keras.tasks import TASKS


def make_optimizer(settings):
    """Makes the one optimizer of a run.

    Args:
        settings: `OptimizerConfig`.

    Returns:
        `StagedAdamW`.
    """
    return transfer.StagedAdamW(
        weight_decay=settings.weight_decay,
        global_clipnorm=settings.clip_norm,
        gradient_accumulation_steps=settings.accumulation_steps if settings.accumulation_steps > 1 else None,
        use_ema=settings.ema_momentum is not None,
        ema_momentum=settings.ema_momentum or 0.99,
    )


def fit_phases(config, model, splits, phases, run, seconds_left=None):
    """Trains a model phase by phase, from the run's newest checkpoint on.

    Args:
        config: `RunConfig`.
        model: compiled `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        run: `RunFolder`.
        seconds_left: time that all phases may take together; None for as long as it takes.

    Returns:
        Dict from metric name to its value in each epoch.
    """
    staging = transfer.ProgressiveUnfreezing(phases, config.batch_norm, whole_model=model, max_seconds=seconds_left)
    staging.prepare(model)
    print(callbacks.phase_table(staging.plan), flush=True)
    for sentence in transfer.find_oversights(model, staging.plan):
        print(f"note: {sentence}", flush=True)
    epochs_done, history = callbacks.restore_newest(run / "checkpoints", model, staging)
    if config.batch_norm == "recalibrate" and not epochs_done:
        recalibrate(config, model, splits)
    lines = callbacks.ProgressLines(staging, run)
    checkpoint = callbacks.CheckpointEachEpoch(run / "checkpoints", history, staging, model)
    cached = cache_phases(config, model, splits, phases, len(staging.state["ends"]))
    for index, features in enumerate(cached):
        if index < len(staging.state["ends"]):
            continue
        first_epoch = max([epochs_done, *staging.state["ends"]])
        learner, stored = _suffix(config, model, features) if features else (model, None)
        learner.fit(
            **TASKS[config.task].training_inputs(config, splits, first_epoch, stored),
            initial_epoch=first_epoch,
            epochs=first_epoch + phases[index].epochs,
            verbose=0,
            callbacks=[staging, lines, checkpoint],
        )
    return history


def recalibrate(config, model, splits):
    """Estimates the statistics of batch normalization anew, on the training data as they are."""
    plain = replace(config, data=replace(config.data, augmentation="none"))
    inputs = TASKS[config.task].training_inputs(plain, splits, 0)
    layers = transfer.recalibrate_batch_norm(model, inputs["x"], inputs["steps_per_epoch"])
    print(f"batch_norm: the statistics of {layers} layers were estimated anew on the training data", flush=True)


def cache_phases(config, model, splits, phases, phases_done=0):
    """Stores, in one pass over the images, what every phase to come can train on in their place.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        phases_done: how many of the first phases are over.

    Returns:
        List of a tuple `(cut, Features)` for each phase, or None where it trains on the images.

    Raises:
        InputError: the configuration insists on a cache that does not fit.
    """
    cuts = transfer.find_cuts_of_phases(model, phases) if _may_cache(config, phases) else [None] * len(phases)
    cuts = [cut if index >= phases_done else None for index, cut in enumerate(cuts)]
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


def describe_cache(config, model, splits, phases):
    """Says what each phase would train on.

    Args:
        config: `RunConfig`.
        model: `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.

    Returns:
        List of a line for each phase.

    Raises:
        InputError: the configuration insists on a cache that does not fit.
    """
    may = _may_cache(config, phases)
    cuts = transfer.find_cuts_of_phases(model, phases) if may else [None] * len(phases)
    examples = len(splits.train) * (config.cache.views or 1) + len(splits.validation)
    kept = _that_fit(config, cuts, len(splits.train), len(splits.validation))
    return [
        f"phase {number}: not cached"
        if cut is None
        else f"phase {number}: caches the output of {cut._keras_history.operation.name}, "
        f"{examples * transfer.bytes_per_example([cut]) / 1e6:,.1f} MB"
        for number, cut in enumerate(kept, start=1)
    ]


def _may_cache(config, phases):
    """Activations pay when an epoch less is computed than is trained, and augmented ones only where views are given."""
    if not TASKS[config.task].CACHES:
        return False
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
