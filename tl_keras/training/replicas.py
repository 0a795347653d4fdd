"""A run on several devices or machines: what it may ask for, what its workers agree on, and what it leaves behind."""

import contextlib
import io
from dataclasses import replace

import numpy as np

from tl_keras import callbacks, distribution
from tl_keras.errors import InputError
from tl_keras.runs.run_folder import open_run, scratch_run
from tl_keras.tasks.base import global_batch_size
from tl_keras.tasks.registry import TASKS

STEPS_ON_TPU = 32
"""Steps that a TPU takes without a word to its host, which would keep it waiting."""

MAX_WARMUP = 0.5
"""Part of a phase that the warm-up of a scaled learning rate may take."""


def find_conflicts(config):
    """Lists the settings of a configuration that depend on the number of devices.

    Args:
        config: `RunConfig`.

    Returns:
        List of names; if it is empty, `check_replicas` accepts any devices.
    """
    contrastive = config.recipe == "few_shot" or any(phase.objective == "contrastive" for phase in config.phases or ())
    conflicts = {
        "steps_per_execution": (config.steps_per_execution or 1) > 1,
        "accumulation_steps": config.optimizer.accumulation_steps > 1,
        "xla": config.xla,
        "contrastive": contrastive,
        "recalibrate": config.batch_norm == "recalibrate",
        "masked_epochs": config.adaptation.masked_epochs is not None,
    }
    return [name for name, conflicting in conflicts.items() if conflicting]


def check_replicas(config, strategy):
    """Refuses settings that would silently differ between several devices and one, or fail.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: names the setting.
    """
    replicas, conflicts = strategy.num_replicas_in_sync, find_conflicts(config)
    if replicas == 1:
        if "steps_per_execution" in conflicts:
            raise InputError("steps_per_execution is for several devices, and here is one: leave it out.")
        return
    on = f"on {replicas} devices"
    reasons = {
        "accumulation_steps": f"optimizer.accumulation_steps does not work {on}, whose batches are summed anyway: "
        "leave it out, or take --distribute cpu or gpu.",
        "xla": f"xla does not compile a step {on}: leave it out, or take --distribute cpu or gpu.",
        "contrastive": f"The contrastive objective compares all examples of a batch, but {on} each sees its part: take "
        "--distribute cpu or gpu, or another recipe.",
        "recalibrate": f"batch_norm recalibrate runs on one device, not {on}: take inference or train.",
        "masked_epochs": f"adaptation.masked_epochs runs on one device, not {on}: leave it out.",
    }
    if _is_tpu(strategy):
        del reasons["xla"]
    for name in conflicts:
        if name in reasons:
            raise InputError(reasons[name])
    if config.max_time is not None and distribution.is_multi_worker(strategy):
        raise InputError("max_time is not for several workers, whose clocks differ: give epochs or a phase's until.")


def steps_per_execution(config, strategy):
    """Says how many steps the devices take without a word to the host, an int.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy`.
    """
    return config.steps_per_execution or (STEPS_ON_TPU if _is_tpu(strategy) else 1)


def _is_tpu(strategy):
    return "TPU" in strategy.extended.worker_devices[0]


def require_same_number(run, strategy):
    """Records how many devices make a step of the run, or refuses another number.

    Args:
        run: `RunFolder`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: the run was begun on another number of devices, and so with other batches.
    """
    replicas = strategy.num_replicas_in_sync
    if not (run / "devices.json").exists():
        run.write_json("devices.json", {"replicas": replicas})
    elif (before := run.read_json("devices.json")["replicas"]) != replicas:
        raise InputError(
            f"The run in {str(run.path)!r} was begun with steps over the batches of {before} devices, not {replicas}: "
            "go on with as many, or give --run another folder."
        )


def check_batches(config, splits, strategy):
    """Refuses a last batch with fewer examples than devices, if the task cannot pad it.

    Args:
        config: `RunConfig`.
        splits: what the task's `load_data` returned.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: the last batch of an epoch is too small.
    """
    replicas = strategy.num_replicas_in_sync
    size = global_batch_size(config, replicas)
    for part in () if TASKS[config.task].pads_batches else (splits.train, splits.validation):
        if 0 < (left := len(part) % size) < replicas:
            raise InputError(
                f"The last of the batches has {left} images, too few for {replicas} devices: take another "
                "data.batch_size."
            )


def for_one_device(config, num_replicas):
    """Returns the configuration whose steps on one device are over as many examples as those of several devices.

    Args:
        config: `RunConfig`.
        num_replicas: number of the devices.

    Returns:
        `RunConfig`.
    """
    if num_replicas == 1:
        return config
    tokens = config.text.tokens_per_batch
    return replace(
        config,
        data=replace(config.data, batch_size=global_batch_size(config, num_replicas)),
        text=replace(config.text, tokens_per_batch=tokens and tokens * num_replicas),
    )


def scale_rates(phases, strategy):
    """Raises learning rates in proportion to the batch, and lets them rise more slowly.

    Goyal et al. 2017 (https://arxiv.org/abs/1706.02677, sections 2.1 and 2.2): k times the batch, k times the rate, and
    a gradual warm-up; theirs takes 5 epochs of 90, here it is an epoch at least and half of the phase at most.

    Args:
        phases: list of `Phase`, for the batch of one device.
        strategy: `tf.distribute.Strategy`.

    Returns:
        List of `Phase`, on one device the same.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return phases
    print(
        f"learning rate: × {replicas}, as the batch of {replicas} devices is, warmed up over an epoch or half a phase "
        "(--scale_learning_rate false leaves it as it is)",
        flush=True,
    )
    return [
        replace(
            phase,
            learning_rate=phase.learning_rate * replicas,
            warmup=max(phase.warmup, min(MAX_WARMUP, 1 / phase.epochs)),
        )
        for phase in phases
    ]


@contextlib.contextmanager
def open_shared_run(config, config_text, strategy):
    """Opens the run folder on the chief, and a folder that vanishes on the other workers.

    Args:
        config: `RunConfig`.
        config_text: the whole configuration as YAML.
        strategy: `tf.distribute.Strategy`; None on one machine, whose devices are not yet known.

    Yields:
        Tuple of the `RunFolder` and whether the run is finished.

    Raises:
        InputError: the chief cannot use its folder; every worker says why.
    """
    with contextlib.ExitStack() as stack:
        run, problem = None, None
        if distribution.is_chief(strategy):
            try:
                run = stack.enter_context(open_run(config.run, config.data.path, config_text, config.resume))
            except InputError as error:
                problem = str(error)
        else:
            run = stack.enter_context(scratch_run())
        problem, finished = distribution.broadcast(strategy, [problem, run is not None and run.finished])
        if problem:
            raise InputError(problem)
        yield run, finished


def require_same_data(fingerprint, run, strategy):
    """Compares the data with those that the run began with, and those of the workers with the chief's.

    Args:
        fingerprint: dict that tells data apart, ready for JSON.
        run: `RunFolder`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: they are others.
    """
    if distribution.is_chief(strategy):
        run.require_same_data(fingerprint)
    if distribution.broadcast(strategy, fingerprint) != fingerprint:
        raise InputError(
            f"The data of this worker are not those of the chief (here {fingerprint}): give all workers the same files."
        )


@contextlib.contextmanager
def chief_first(record, strategy):
    """Lets the chief do what leaves a record, and gives the other workers its record before they do the same.

    Args:
        record: path of the file, which each worker has for itself.
        strategy: `tf.distribute.Strategy`.
    """
    if distribution.is_chief(strategy):
        yield
        distribution.broadcast(strategy, record.read_text(encoding="utf-8"))
    else:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(distribution.broadcast(strategy, None), encoding="utf-8")
        yield


def restore_everywhere(folder, model, staging, strategy):
    """Puts the chief's newest checkpoint back into the models of all workers.

    Args:
        folder: path of the checkpoints' folder; only the chief's is read.
        model: compiled `keras.Model`.
        staging: its `ProgressiveUnfreezing`, prepared.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `Progress` or None, as `restore_newest` gives it.
    """
    progress = callbacks.restore_newest(folder, model, staging) if distribution.is_chief(strategy) else None
    if not distribution.is_multi_worker(strategy):
        return progress
    done = progress and [progress.epochs, progress.history]
    done, state = distribution.broadcast(strategy, [done, staging.state])
    if done is None:
        return None
    for variable in [*model.variables, *model.optimizer.variables]:
        variable.assign(distribution.broadcast_array(strategy, variable.numpy()))
    staging.resume(state, _broadcast_arrays(strategy, staging.best_weights))
    return callbacks.Progress(*done, _broadcast_arrays(strategy, progress.metrics if progress else []))


def _broadcast_arrays(strategy, arrays):
    """Sends a list of arrays from the chief to the other workers, who give an empty one."""
    described = distribution.broadcast(strategy, [(list(array.shape), str(array.dtype)) for array in arrays])
    arrays = arrays or [np.zeros(shape, dtype) for shape, dtype in described]
    return [distribution.broadcast_array(strategy, array) for array in arrays]


def plain_model(build, model):
    """Makes a model on one device of one on several.

    Args:
        build: function without arguments that builds a model of the same shape outside of any strategy.
        model: trained `keras.Model`; on one device it is returned itself.

    Returns:
        `keras.Model` of the same weights.
    """
    if model.distribute_strategy.num_replicas_in_sync == 1:
        return model
    # It would tell once more where its first weights come from.
    with contextlib.redirect_stdout(io.StringIO()):
        plain = build()
    for own, trained in zip(plain.weights, model.weights, strict=True):
        own.assign(trained.numpy())
    return plain
