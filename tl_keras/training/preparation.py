"""Prepares a run: devices, data, model and phases, as they are trained, printed or searched for a learning rate."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tl_keras import distribution, evaluation
from tl_keras.config import RunConfig
from tl_keras.errors import counted
from tl_keras.phases import Phase
from tl_keras.recipes import AUTO
from tl_keras.system.time_limit import NO_LIMIT
from tl_keras.tasks.registry import TASKS
from tl_keras.training import replicas, workers
from tl_keras.training.automatic.decisions import decide, for_devices, reason_for_one_device
from tl_keras.training.automatic.solved_head import SolvedHead
from tl_keras.training.building import build_model, build_with_head, choose_phases, with_best_epochs
from tl_keras.training.target import Target, check_method, check_model, describe_target, load_target


@dataclass(frozen=True, eq=False)
class Preparation:
    """Holds all that a training needs."""

    config: RunConfig
    """As given, with the decisions of recipe auto; `data.batch_size` counts the examples of one device."""
    strategy: Any
    """`tf.distribute.Strategy`."""
    splits: Any
    """What the task's `load_data` returned."""
    target: Target | None
    """The target domain of a run with adaptation."""
    make_model: Callable[[], Any]
    """Function that returns `model`."""
    phases: list[Phase]
    """Their learning rates are those of all devices together."""
    solved: SolvedHead | None = None
    """The head that recipe auto has solved; it is in the model."""

    @functools.cached_property
    def model(self):
        """`keras.Model`, compiled and not trained; recipe auto builds it when it is used, since few texts need none."""
        return self.make_model()

    @property
    def num_replicas(self):
        """Number of devices that share a step."""
        return self.strategy.num_replicas_in_sync


def prepare(config, strategy=None, run=None, limit=NO_LIMIT):
    """Prepares a run.

    Settings are checked before data are read, and data before TensorFlow is loaded, as far as that is possible.

    Args:
        config: `RunConfig`.
        strategy: `tf.distribute.Strategy` of a cluster that was joined before; None starts the configured devices.
        run: `RunFolder`, which records data and devices and refuses others when it is resumed; None writes nothing.
        limit: `TimeLimit` of the run, for recipe auto.

    Returns:
        `Preparation`.

    Raises:
        InputError: the configuration or the data cannot be used.
    """
    task = TASKS[config.task]
    task.check_sources(config)
    check_method(config, task.known_blocks(config))
    # Devices are started before data are read only where a setting depends on their number: it loads TensorFlow.
    if strategy is None and replicas.single_device_settings(config):
        strategy = start_strategy(config.distribute)
    if strategy is not None:
        replicas.check_replicas(config, strategy)
        config = for_devices(config, strategy)
    splits = task.load_data(config)
    target = load_target(config, splits) if config.adaptation.target else None
    if run:
        workers.require_same_data(_fingerprint(task, splits, target), run, strategy)
    print(task.describe(config, splits), flush=True)
    _note_plan(config, task.count(splits.test))
    if strategy is None:
        strategy = start_strategy(config.distribute, reason_for_one_device(config, splits))
        replicas.check_replicas(config, strategy)
        if (for_several := for_devices(config, strategy)) != config:
            # The other recipe has a validation set.
            config, splits = for_several, task.load_data(for_several)
            print(task.describe(config, splits), flush=True)
    if run:
        workers.require_same_devices(run, strategy)
    replicas.check_batches(config, splits, strategy)
    if run:
        task.preview(config, splits, run.path)
    if config.recipe == AUTO:
        return _prepare_automatically(config, strategy, splits, run, limit)
    with strategy.scope():
        model = build_model(config, splits)
    phases = choose_phases(config, model, len(splits.train), strategy.num_replicas_in_sync)
    phases = with_best_epochs(config, phases, len(splits.validation))
    if target:
        check_model(config, model, phases)
        print(*target.notes, describe_target(target), sep="\n", flush=True)
    phases = replicas.scale_rates(config, phases, strategy)
    return Preparation(config, strategy, splits, target, lambda: model, phases)


def _note_plan(config, num_tested):
    """Says before a training what will limit its figures, and what its time limit does not hold."""
    if num_tested < evaluation.FEW_TESTED:
        examples = counted(num_tested, "test example", "test examples")
        print(f"note: {examples} will say little about the network, see the interval of its figures", flush=True)
    if config.max_time is not None:
        print(
            f"note: max_time {config.max_time} holds for loading and training; the test, the plots and the report take "
            "time of their own, and each phase takes an epoch at least",
            flush=True,
        )


def _prepare_automatically(config, strategy, splits, run, limit):
    if limit.seconds is not None:
        print(
            f"max_time {config.max_time}: the head is solved first in any case, and tuning gets what is left",
            flush=True,
        )
    config, splits, solved = decide(config, splits, run, limit)
    if limit.seconds is not None:
        print(f"auto: the head is solved after {limit.passed:.0f} s, {limit.left:.0f} s are left", flush=True)
    return Preparation(config, strategy, splits, None, lambda: build_with_head(config, splits, solved), [], solved)


def start_strategy(distribute, one_device=""):
    """Starts the devices of a run, and prints which and why.

    Args:
        distribute: `RunConfig.distribute`.
        one_device: why "auto" takes one of several GPUs; "" takes all.

    Returns:
        `tf.distribute.Strategy`.
    """
    choice = distribution.choose(distribute, one_device=one_device)
    if choice.kind == "multi_worker":
        print(f"distribute: multi_worker ({choice.reason}), waiting for all of them", flush=True)
    strategy = distribution.make_strategy(choice)
    print(distribution.describe(choice, strategy), flush=True)
    return strategy


def _fingerprint(task, splits, target):
    source = task.fingerprint(splits)
    return source | {"target": task.fingerprint(target.splits)} if target else source
