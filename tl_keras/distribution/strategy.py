"""Where a training runs: one device, the devices of this machine, the workers of a cluster, or a TPU."""

import functools
import importlib
import os
from dataclasses import dataclass

from tl_keras.distribution.cluster import EXAMPLE, read_cluster
from tl_keras.errors import InputError
from tl_keras.system.devices import load_tensorflow

TPU_VARIABLE = "TPU_NAME"
"""What names the TPU on Google's machines; TPUClusterResolver reads it, too."""


@dataclass(frozen=True)
class Choice:
    """What `--distribute` comes to on this machine."""

    kind: str
    """cpu, gpu, mirrored, multi_worker or tpu."""
    reason: str
    """Why, in a few words."""


def choose(wanted, environment=os.environ):
    """Decides where to train.

    TensorFlow is loaded only where neither the wish nor the environment decides.

    Args:
        wanted: "auto", "cpu", "gpu", "mirrored", "multi_worker" or "tpu".
        environment: mapping of environment variables.

    Returns:
        `Choice`.

    Raises:
        InputError: TF_CONFIG is wrong or, for multi_worker, missing; or the devices wanted are not there.
    """
    cluster = read_cluster(environment) if wanted in ("auto", "multi_worker") else None
    if cluster:
        return Choice("multi_worker", f"TF_CONFIG names {_count(cluster.addresses, 'worker')}")
    if wanted == "multi_worker":
        raise InputError(f"--distribute multi_worker needs TF_CONFIG in the environment, such as {EXAMPLE}.")
    if wanted == "tpu" or (wanted == "auto" and environment.get(TPU_VARIABLE)):
        return Choice("tpu", "as asked" if wanted == "tpu" else f"{TPU_VARIABLE} names one")
    return _choose_local(wanted)


def is_cluster(wanted, environment=os.environ):
    """Says, without TensorFlow, whether a wish comes to machines that must be joined before all else.

    Args:
        wanted: as for `choose`.
        environment: mapping of environment variables.

    Raises:
        InputError: TF_CONFIG is wrong.
    """
    if wanted == "auto":
        return read_cluster(environment) is not None or bool(environment.get(TPU_VARIABLE))
    return wanted in ("multi_worker", "tpu")


def _choose_local(wanted):
    load_tensorflow()
    config = importlib.import_module("tensorflow").config
    gpus, cpus = config.list_logical_devices("GPU"), config.list_logical_devices("CPU")
    if wanted == "gpu" and not gpus:
        raise InputError("--distribute gpu needs a GPU that TensorFlow sees, and it sees none: take auto or cpu.")
    if wanted == "mirrored" and len(gpus or cpus) < 2:
        raise InputError(
            f"--distribute mirrored needs two devices or more, but TensorFlow sees "
            f"{_count(gpus, 'GPU') if gpus else _count(cpus, 'CPU')}: take auto."
        )
    if wanted == "mirrored":
        return Choice("mirrored", f"as asked, {_count(gpus, 'GPU') if gpus else _count(cpus, 'CPU')}")
    if wanted != "auto":
        return Choice(wanted, "as asked")
    if len(gpus) > 1:
        return Choice("mirrored", _count(gpus, "GPU"))
    return Choice("gpu", "TensorFlow sees one") if gpus else Choice("cpu", "TensorFlow sees no GPU")


def make_strategy(choice):
    """Makes the strategy of a choice; of a cluster and of a TPU a process can have one, which it then keeps.

    A cluster and a TPU have to be joined before TensorFlow computes anything.

    Args:
        choice: `Choice`.

    Returns:
        `tf.distribute.Strategy`; on one device the one that TensorFlow has by default.
    """
    load_tensorflow()
    tf = importlib.import_module("tensorflow")
    if choice.kind == "multi_worker":
        return _join_workers()
    if choice.kind == "tpu":
        return join_tpu(tf.distribute.cluster_resolver.TPUClusterResolver)
    if choice.kind == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if choice.kind == "cpu" and tf.config.list_logical_devices("GPU"):
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    return tf.distribute.get_strategy()


@functools.cache
def _join_workers():
    return importlib.import_module("tensorflow").distribute.MultiWorkerMirroredStrategy()


@functools.cache
def join_tpu(make_resolver):
    """Connects to a TPU, starts it and makes its strategy: the order that TensorFlow demands.

    Args:
        make_resolver: function without arguments that finds the TPU, `TPUClusterResolver` or what stands in for it.

    Returns:
        `tf.distribute.TPUStrategy`.

    Raises:
        InputError: no TPU is found.
    """
    tf = importlib.import_module("tensorflow")
    try:
        resolver = make_resolver()
    except ValueError as error:
        raise InputError(f"--distribute tpu finds no TPU ({error}): set {TPU_VARIABLE}, or take auto.") from error
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)


def is_chief(strategy):
    """Says whether this process alone writes: it is the first worker, or the only one (a strategy of None)."""
    return not is_multi_worker(strategy) or (strategy.cluster_resolver.task_id == 0 and _first_job(strategy))


def is_multi_worker(strategy):
    """Says whether several processes train together; of None, which needs no TensorFlow, they do not."""
    return strategy is not None and isinstance(
        strategy, importlib.import_module("tensorflow").distribute.MultiWorkerMirroredStrategy
    )


def describe(choice, strategy):
    """Says in one line where a training runs, and why."""
    replicas = strategy.num_replicas_in_sync
    return f"distribute: {choice.kind} ({choice.reason}){f', {replicas} replicas' if replicas > 1 else ''}"


def _first_job(strategy):
    jobs = strategy.cluster_resolver.cluster_spec().jobs
    return strategy.cluster_resolver.task_type == ("chief" if "chief" in jobs else "worker")


def _count(things, name):
    return f"{len(things)} {name}{'s' if len(things) != 1 else ''}"
