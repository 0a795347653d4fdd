"""Settings of a run on several devices: refused ones, batch sizes, learning rates and steps per execution."""

import math
from dataclasses import replace

from tl_keras import distribution
from tl_keras.config.derived import derive
from tl_keras.errors import InputError, counted
from tl_keras.tasks.base import global_batch_size
from tl_keras.tasks.registry import TASKS

STEPS_ON_TPU = 32
"""Steps that a TPU executes without waiting for its host."""
MAX_WARMUP = 0.5
"""Share of a phase that the warm-up of a scaled learning rate may take."""


def single_device_settings(config):
    """Lists the settings of a configuration that work on one device only.

    Args:
        config: `RunConfig`.

    Returns:
        List of names that `check_replicas` knows.
    """
    contrastive = config.recipe == "few_shot" or any(phase.objective == "contrastive" for phase in config.phases or ())
    settings = {
        "accumulation_steps": config.optimizer.accumulation_steps > 1,
        "xla": config.xla,
        "contrastive": contrastive,
        "recalibrate": config.batch_norm == "recalibrate",
        "masked_epochs": config.adaptation.masked_epochs is not None,
    }
    return [name for name, is_set in settings.items() if is_set]


def check_replicas(config, strategy):
    """Refuses settings that would silently differ between several devices and one, or fail.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy`.

    Raises:
        InputError: names the setting.
    """
    replicas, settings = strategy.num_replicas_in_sync, single_device_settings(config)
    if replicas == 1:
        return
    on = f"on {counted(replicas, 'device')}"
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
    for name in settings:
        if name in reasons:
            raise InputError(reasons[name])
    if config.max_time is not None and distribution.is_multi_worker(strategy):
        raise InputError("max_time is not for several workers, whose clocks differ: give epochs or a phase's until.")


def steps_per_execution(config, strategy):
    """Returns the number of steps that the devices execute without waiting for the host.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy`.
    """
    return config.steps_per_execution or (STEPS_ON_TPU if _is_tpu(strategy) else 1)


def _is_tpu(strategy):
    # The default strategy of a single device names none.
    return strategy.num_replicas_in_sync > 1 and "TPU" in strategy.extended.worker_devices[0]


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
                f"The last of the batches has {counted(left, 'image')}, too few for {counted(replicas, 'device')}: "
                "take another data.batch_size."
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
    return derive(
        config,
        data=derive(config.data, batch_size=global_batch_size(config, num_replicas)),
        text=derive(config.text, tokens_per_batch=tokens and tokens * num_replicas),
    )


def scale_rates(config, phases, strategy):
    """Scales the learning rates of a recipe by the square root of the batch, with a gradual warm-up.

    The rate of an adaptive optimizer, such as AdamW, grows with the square root of the batch (Malladi et al. 2022,
    https://arxiv.org/abs/2205.10287, definition 5.2); its rule for the moments would leave hardly any momentum on eight
    devices and is not applied. Goyal et al. 2017 (https://arxiv.org/abs/1706.02677, section 2.2) warm up over 5 of 90
    epochs; here it takes at least an epoch and at most half of the phase.

    Args:
        config: `RunConfig`. Rates that the user gave, in phases or as `learning_rate`, stay as they are.
        phases: list of `Phase`, for the batch of one device.
        strategy: `tf.distribute.Strategy`.

    Returns:
        List of `Phase`; the same list if nothing is scaled.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1 or not config.scale_learning_rate:
        return phases
    if config.phases or config.learning_rate is not None:
        print(f"learning rate: as given, for the batch of {counted(replicas, 'device')} together", flush=True)
        return phases
    factor = math.sqrt(replicas)
    print(
        f"learning rate: × {factor:.3g}, the square root of {counted(replicas, 'device')}, warmed up over an epoch or "
        "half a phase (--scale_learning_rate false disables both)",
        flush=True,
    )
    return [
        replace(
            phase,
            learning_rate=phase.learning_rate * factor,
            warmup=max(phase.warmup, min(MAX_WARMUP, 1 / phase.epochs)),
        )
        for phase in phases
    ]
