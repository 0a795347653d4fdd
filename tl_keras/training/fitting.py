"""Trains a model phase by phase, on the examples or on cached activations of its frozen blocks."""

import functools
import gc

from tl_keras import callbacks, data, distribution, models, transfer
from tl_keras.config.adaptation_config import STATISTICS_ONLY
from tl_keras.config.derived import without_augmentation
from tl_keras.config.recipe_choice import DEFAULT_RECIPE
from tl_keras.errors import InputError, RunStopped, counted, unknown_name
from tl_keras.system.durations import parse_interval
from tl_keras.system.global_state import quick_collection
from tl_keras.tasks.classification import solves_head
from tl_keras.tasks.registry import TASKS
from tl_keras.training import replicas, workers
from tl_keras.training.batch_norm_notes import check_batch_norm, note_batch_norm
from tl_keras.training.phase_features import PhaseFeatures

RATE_REDUCTION = 0.1
"""Factor on all learning rates after the loss was not finite."""


def make_optimizer(settings):
    """Creates the one optimizer of a run.

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


def fit_phases(config, model, splits, phases, run, seconds_left=None, features=None):
    """Trains a model phase by phase, starting from the run's newest checkpoint.

    Args:
        config: `RunConfig`.
        model: compiled `keras.Model`.
        splits: what the task's `load_data` returned.
        phases: list of `Phase`.
        run: `RunFolder`.
        seconds_left: maximum time of all phases together; None sets no limit.
        features: cached activations, with a method `of` like that of `PhaseFeatures`; None computes them if that pays.

    Returns:
        Dict from metric name to its value in each epoch.
    """
    # Loading may have taken all the time; then each phase still takes an epoch.
    max_seconds = None if seconds_left is None else max(1.0, seconds_left)
    staging = transfer.ProgressiveUnfreezing(phases, config.batch_norm, whole_model=model, max_seconds=max_seconds)
    _check_monitors(model, phases)
    staging.prepare(model, _steps_per_epoch(config, splits))
    print(callbacks.phase_table(staging.plan), flush=True)
    for sentence in find_warnings(config, model, phases, staging.plan, len(splits.train)):
        print(f"note: {sentence}", flush=True)
    space = callbacks.largest_checkpoint(model, staging), callbacks.model_bytes(model.variables)
    callbacks.check_space(run / "checkpoints", *space)
    strategy = model.distribute_strategy
    progress = workers.restore_everywhere(run / "checkpoints", model, staging, strategy)
    if config.batch_norm == "recalibrate" and progress is None:
        _recalibrate(config, model, splits)
    saving = make_saving(config, run, progress, staging, model)
    watching = [staging, callbacks.ProgressLines(staging, run), saving]
    if distribution.is_multi_worker(strategy):
        watching.insert(0, distribution.BroadcastLogs(strategy))
    phases_done = len(staging.state["ends"])
    with quick_collection(), data.raise_input_errors():
        if features is None:
            record = run / "checkpoints" / "cache.json"
            with workers.chief_first(record, strategy):
                features = PhaseFeatures(config, model, splits, phases, phases_done, record)
            _report_cache(features, run, required=config.cache.mode == "on" or config.cache.views is not None)
        while (index := len(staging.state["ends"])) < len(phases):
            start = max([saving.progress.epochs, *staging.state["ends"]]), staging.state["steps"]
            try:
                _fit_phase(config, model, splits, phases[index], features.of(index), watching, start)
                _measure_phase(config, model, splits, index, run)
            except callbacks.NotFinite as error:
                roll_back(error, saving, run)
            # Traced steps and their data refer to each other and to the cached activations, which would pile up.
            gc.collect()
    if strategy.num_replicas_in_sync == 1:
        _settle_batch_norm(config, model, splits, staging.plan)
        for sentence in check_batch_norm(config, model, splits, staging.plan, saving.progress.history):
            print(f"warning: {sentence}", flush=True)
            run.log("warning", {"text": sentence})
    return saving.progress.history


def make_saving(config, run, progress, staging, model):
    """Creates the callback that saves the run, and a first checkpoint for a new run to fall back on.

    Args:
        config: `RunConfig`.
        run: `RunFolder`.
        progress: what `restore_newest` returned.
        staging: `ProgressiveUnfreezing`, prepared.
        model: compiled `keras.Model`.

    Returns:
        `SaveCheckpoints`.

    Raises:
        InputError: an initial weight is not finite.
    """
    saving = callbacks.SaveCheckpoints(
        run / "checkpoints",
        progress or callbacks.Progress(),
        staging,
        model,
        parse_interval(config.checkpoint_every),
        run.signals,
        agree=functools.partial(distribution.any_worker, model.distribute_strategy),
    )
    if progress is None:
        try:
            saving.save()
        except callbacks.NotFinite as error:
            raise InputError("An initial weight is not a finite number: give --model.weights another file.") from error
    return saving


def roll_back(error, saving, run):
    """Restores the newest checkpoint and continues at a tenth of the learning rate; a second failure stops the run.

    Args:
        error: `NotFinite`.
        saving: `SaveCheckpoints` of the run.
        run: `RunFolder`.

    Raises:
        RunStopped: the rate was reduced before, no checkpoint can be read, or several workers train.
    """
    staging = saving.unfreezing
    reduced = staging.state["rate"] < 1
    # Several workers would have to restore at the same step.
    alone = not distribution.is_multi_worker(saving.whole_model.distribute_strategy)
    progress = None if reduced or not alone else callbacks.restore_newest(saving.folder, saving.whole_model, staging)
    if progress is None:
        raise RunStopped(
            f"The loss or a weight is no longer a finite number at {error}{', even at a tenth of the rate' * reduced}: "
            "look for such values in the data of that batch, or start again with a lower learning_rate."
        ) from error
    saving.progress = progress
    staging.state["rate"] = RATE_REDUCTION
    print(
        f"the loss or a weight was not finite at {error}: continuing from the newest checkpoint with all learning "
        "rates at a tenth",
        flush=True,
    )
    run.log("rollback", {"at": str(error)})


def _fit_phase(config, model, splits, phase, cached, watching, start):
    """Trains one phase from an epoch and a step within it, and keeps no reference to what it trained on.

    A later phase on the same model trains other weights, but evaluates and predicts by the same traced functions.
    """
    cut, features = cached or (None, None)
    first_epoch, steps_done = start
    strategy = model.distribute_strategy
    num_replicas, per_execution = strategy.num_replicas_in_sync, replicas.steps_per_execution(config, strategy)
    inputs = TASKS[config.task].training_inputs(config, splits, first_epoch, features, num_replicas)
    callbacks.check_steps_done(steps_done, inputs["steps_per_epoch"])
    with strategy.scope():
        learner = make_learner(config, model, phase, cut)
    if num_replicas > 1:
        distribution.shard_steps(learner, per_execution)
        inputs = distribution.shard_inputs(inputs, strategy, steps_done)
    else:
        if per_execution > 1:
            distribution.execute_several_steps(learner, per_execution)
        inputs["x"] = inputs["x"].skip(steps_done)
    if steps_done:
        # Keras creates the metrics in the first step, and those of the earlier steps must be restored into them.
        learner.evaluate(inputs["validation_data"] or inputs["x"], steps=1, verbose=0)
    watching, last = [*watching, *([callbacks.ReleaseRows(features)] if features else [])], first_epoch + phase.epochs
    watching = callbacks.UnreadLogs(watching, learner, inputs["steps_per_epoch"], last)
    learner.fit(**inputs, initial_epoch=first_epoch, epochs=last, verbose=0, callbacks=watching)
    learner.train_function = None
    if learner is not model or num_replicas > 1:
        learner.test_function = learner.predict_function = None


def _measure_phase(config, model, splits, index, run):
    """Prints and logs what the task measures on the validation examples after a phase."""
    if distribution.is_multi_worker(model.distribute_strategy):
        return
    if figures := TASKS[config.task].measure_phase(config, model, splits):
        shown = "  ".join(f"{name} {value:.3f}" for name, value in figures.items() if value is not None)
        print(f"  validation: {shown}", flush=True)
        run.log("phase_validation", {"phase": index + 1, **figures})


def _steps_per_epoch(config, splits):
    """Counts the steps of an epoch if gradients are accumulated, since a phase needs one update at least; else None."""
    if config.optimizer.accumulation_steps == 1:
        return None
    return TASKS[config.task].training_inputs(config, splits, 0)["steps_per_epoch"]


def _check_monitors(model, phases):
    """Refuses to monitor a metric that the model does not report, before anything is computed."""
    for phase in phases:
        if (phase.until or phase.restore_best) and phase.monitor not in (names := models.reported_metrics(model)):
            raise unknown_name("metric to watch", phase.monitor, names)


def find_warnings(config, model, phases, plan, num_examples):
    """Finds settings that are allowed but probably not intended.

    Args:
        config: `RunConfig`.
        model: `keras.Model` as `build_model` builds it.
        phases: list of `Phase`.
        plan: what `plan_phases` returned for them.
        num_examples: number of training examples.

    Returns:
        List of sentences.
    """
    solved = transfer.block_names(model)[-1:] if solves_head(config) else []
    sentences = transfer.find_warnings(model, phases, plan, solved)
    trained = {block for record in plan for block in record["blocks"]} | set(solved)
    untrained = [block for block in transfer.block_names(model) if block not in trained]
    if random := [block for block in untrained if block in _random_blocks(config, model)]:
        sentences.append(f"weights are random and never trained in: {', '.join(random)}; give train: {random[0]}")
    if config.phases and config.recipe != DEFAULT_RECIPE:
        sentences.append(f"recipe {config.recipe} has no effect beside phases")
    sentences += note_batch_norm(config, model, plan, num_examples)
    if config.adaptation.method in STATISTICS_ONLY and config.batch_norm == "inference":
        sentences.append(
            f"{config.adaptation.method} replaces statistics that the classifier was trained with, and these are still "
            "the pretrained network's: --batch_norm recalibrate takes those of the source first"
        )
    return sentences


def _random_blocks(config, model):
    """Lists the blocks whose weights, or a part of them, come from no file."""
    blocks = transfer.block_names(model)
    if config.model.weights == "none":
        return blocks
    report = getattr(model, "weights_report", None)
    loaded = set(report.matched) if report else set()
    new = [layer for layer in model.layers if layer.weights and layer.name not in loaded]
    new_blocks = {models.block_of(layer) for layer in new} & set(TASKS[config.task].new_blocks)
    return [block for block in blocks if block in new_blocks]


def _settle_batch_norm(config, model, splits, plan):
    """Estimates the statistics that were trained for the final weights, which their moving averages lag behind.

    After the few steps of transfer learning the averages still hold what they began with; see `recalibrate_batch_norm`.
    """
    trained = dict.fromkeys(block for record in plan if record["epochs"] for block in record["blocks"])
    if config.batch_norm == "train" and (norms := transfer.find_batch_norms(model, trained)):
        _recalibrate(config, model, splits, norms)


def _recalibrate(config, model, splits, norms=None):
    """Estimates the statistics of batch normalization on the training data, without augmentation."""
    inputs = TASKS[config.task].training_inputs(without_augmentation(config), splits, 0)
    layers = transfer.recalibrate_batch_norm(model, inputs["x"], inputs["steps_per_epoch"], norms)
    print(
        f"batch_norm: the statistics of {counted(layers, 'layer')} were estimated anew on the training data", flush=True
    )


def _report_cache(features, run, required):
    """Prints what is cached and why, and logs it for the report; prints nothing where a resumed run repeats it."""
    if features.plan is not None:
        print(features.plan, flush=True)
        run.log("cache", {"lines": features.describe()})
    elif required and features.decision.places == (None,) * len(features.decision.places):
        print(*features.describe(), sep="\n", flush=True)


def make_learner(config, model, phase, cut=None):
    """Builds what a phase fits: the model, the part behind a cut, or features for a contrastive loss.

    Args:
        config: `RunConfig`.
        model: compiled `keras.Model`.
        phase: `Phase`.
        cut: Keras tensor inside the model whose cached values are trained on; None trains on the examples.

    Returns:
        Compiled `keras.Model` that shares its layers and its optimizer with the model.
    """
    learner = model if cut is None else transfer.suffix_model(model, cut)
    if phase.objective == "contrastive":
        learner = transfer.contrastive_learner(learner)
        jit_compile = True if config.xla else "auto"
        learner.compile(model.optimizer, transfer.SupervisedContrastive(), jit_compile=jit_compile)
    elif cut is not None:
        TASKS[config.task].compile_model(config, learner, model.optimizer)
    return learner
