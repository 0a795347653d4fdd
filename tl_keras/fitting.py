"""Trains a model phase by phase, on the images or on what its frozen blocks made of them."""

import contextlib
import gc
from dataclasses import replace

from tl_keras import callbacks, models, transfer
from tl_keras.errors import unknown_name
from tl_keras.phase_features import PhaseFeatures
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
    staging.prepare(model, _steps_per_epoch(config, splits))
    _check_monitors(model, phases)
    print(callbacks.phase_table(staging.plan), flush=True)
    for sentence in find_oversights(config, model, phases, staging.plan):
        print(f"note: {sentence}", flush=True)
    epochs_done, history = callbacks.restore_newest(run / "checkpoints", model, staging)
    if config.batch_norm == "recalibrate" and not epochs_done:
        recalibrate(config, model, splits)
    watching = [
        staging,
        callbacks.ProgressLines(staging, run),
        callbacks.CheckpointEachEpoch(run / "checkpoints", history, staging, model),
    ]
    done = len(staging.state["ends"])
    with _quick_collection():
        features = PhaseFeatures(config, model, splits, phases, done, run / "checkpoints" / "cache.json")
        _tell(features, run, insisted=config.cache.mode == "on")
        for index in range(done, len(phases)):
            first_epoch = max([epochs_done, *staging.state["ends"]])
            _fit_phase(config, model, splits, phases[index], features.of(index), watching, first_epoch)
            # Steps and data that were traced hold on to each other, and to what was stored: it would pile up.
            gc.collect()
    return history


@contextlib.contextmanager
def _quick_collection():
    """Lets garbage be looked for among what is made from now on: TensorFlow alone has a 400,000 older objects."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _fit_phase(config, model, splits, phase, reading, watching, first_epoch):
    """Trains one phase on what it reads, and holds on to none of it."""
    cut, stored = reading or (None, None)
    learner = make_learner(config, model, phase, cut)
    learner.fit(
        **TASKS[config.task].training_inputs(config, splits, first_epoch, stored),
        initial_epoch=first_epoch,
        epochs=first_epoch + phase.epochs,
        verbose=0,
        callbacks=[*watching, *([callbacks.ReleaseRows(stored)] if stored else [])],
    )
    learner.train_function = learner.test_function = learner.predict_function = None


def _steps_per_epoch(config, splits):
    """Counts the steps where one that updates takes several, which a phase must have; else they do not matter."""
    if config.optimizer.accumulation_steps == 1:
        return None
    return TASKS[config.task].training_inputs(config, splits, 0)["steps_per_epoch"]


def _check_monitors(model, phases):
    """Refuses a metric to watch that the model does not report, before anything is computed."""
    for phase in phases:
        if (phase.until or phase.restore_best) and phase.monitor not in (names := models.reported_metrics(model)):
            raise unknown_name("metric to watch", phase.monitor, names)


def find_oversights(config, model, phases, plan):
    """Looks for settings of the phases that are allowed but hardly meant.

    Args:
        config: `RunConfig`.
        model: `keras.Model` as `train.build_model` makes it.
        phases: list of `Phase`.
        plan: what `plan_phases` returned for them.

    Returns:
        List of sentences.
    """
    sentences = transfer.find_oversights(model, phases, plan)
    learning = {block for record in plan for block in record["blocks"]}
    idle = [block for block in transfer.block_names(model) if block not in learning]
    if config.model.weights == "none" and idle:
        sentences.append(f"weights are random and never learn in: {', '.join(idle)}")
    return sentences


def recalibrate(config, model, splits):
    """Estimates the statistics of batch normalization anew, on the training data as they are."""
    plain = replace(config, data=replace(config.data, augmentation="none"))
    inputs = TASKS[config.task].training_inputs(plain, splits, 0)
    layers = transfer.recalibrate_batch_norm(model, inputs["x"], inputs["steps_per_epoch"])
    print(f"batch_norm: the statistics of {layers} layers were estimated anew on the training data", flush=True)


def _tell(features, run, insisted):
    """Prints what is stored, and why, and keeps it for the report; nothing where a resumed run repeats the decision."""
    if features.plan is not None:
        print(features.plan, flush=True)
        run.log("cache", {"lines": features.describe()})
    elif insisted and features.decision.places == (None,) * len(features.decision.places):
        print(*features.describe(), sep="\n", flush=True)


def make_learner(config, model, phase, cut=None):
    """Makes what is fit in a phase: the model, what lies behind a cut, or its features where those are to be learned.

    Args:
        config: `RunConfig`.
        model: compiled `keras.Model`.
        phase: `Phase`.
        cut: Keras tensor inside the model, whose stored values are trained on; None trains on the examples.

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
