"""Choice of the distribution strategy: one device, the devices of this machine, a cluster, or a TPU."""

import contextlib
import functools
import importlib
import os
from dataclasses import dataclass
from types import SimpleNamespace

from tl_keras.distribution.cluster import EXAMPLE, read_cluster
from tl_keras.errors import InputError, counted
from tl_keras.system.devices import load_tensorflow

TPU_VARIABLE = "TPU_NAME"
"""Environment variable that names the TPU on Google's machines, also read by TPUClusterResolver."""


@dataclass(frozen=True)
class Choice:
    """Holds the strategy that `--distribute` selects on this machine."""

    kind: str
    """cpu, gpu, mirrored, multi_worker or tpu."""
    reason: str
    """Reason in a few words."""


def choose(setting, environment=os.environ, one_device=""):
    """Chooses the devices to train on.

    TensorFlow is loaded only if neither the setting nor the environment decides.

    Args:
        setting: "auto", "cpu", "gpu", "mirrored", "multi_worker" or "tpu".
        environment: mapping of environment variables, default `os.environ`.
        one_device: why auto takes one of several GPUs; "" takes all.

    Returns:
        `Choice`.

    Raises:
        InputError: TF_CONFIG is invalid or, for multi_worker, missing; or the requested devices do not exist.
    """
    return _choose_cluster(setting, environment) or _choose_local(setting, one_device)


def is_cluster(setting, environment=os.environ):
    """Returns whether a setting means machines that must be joined before TensorFlow computes anything.

    TensorFlow is not loaded.

    Args:
        setting: as in `choose`.
        environment: mapping of environment variables, default `os.environ`.

    Returns:
        bool.

    Raises:
        InputError: TF_CONFIG is invalid or, for multi_worker, missing.
    """
    return _choose_cluster(setting, environment) is not None


@dataclass(frozen=True)
class ClusterOutline:
    """Stands in for the strategy of a cluster where its devices are counted, but not used."""

    num_replicas_in_sync: int
    """Devices of all workers."""

    extended = SimpleNamespace(worker_devices=("",))

    def scope(self):
        """Returns a context that places variables on this machine."""
        return contextlib.nullcontext()


def outline_cluster(setting, environment=os.environ):
    """Counts the devices of a cluster without joining it, which would wait for all its workers.

    Args:
        setting: as in `choose`.
        environment: mapping of environment variables, default `os.environ`.

    Returns:
        `ClusterOutline`, as if all workers had the devices of this one; None if the setting means no cluster.

    Raises:
        InputError: TF_CONFIG is invalid.
    """
    cluster = _find_cluster(setting, environment)
    if cluster is None:
        return None
    load_tensorflow()
    gpus = importlib.import_module("tensorflow").config.list_logical_devices("GPU")
    return ClusterOutline(len(cluster.addresses) * max(1, len(gpus)))


def _find_cluster(setting, environment):
    return read_cluster(environment) if setting in ("auto", "multi_worker") else None


def _choose_cluster(setting, environment):
    cluster = _find_cluster(setting, environment)
    if cluster:
        return Choice("multi_worker", f"TF_CONFIG names {_count(cluster.addresses, 'worker')}")
    if setting == "multi_worker":
        raise InputError(f"--distribute multi_worker needs TF_CONFIG in the environment, such as {EXAMPLE}.")
    if setting == "tpu" or (setting == "auto" and environment.get(TPU_VARIABLE)):
        return Choice("tpu", "as asked" if setting == "tpu" else f"{TPU_VARIABLE} names one")
    return None


def _choose_local(setting, one_device):
    load_tensorflow()
    config = importlib.import_module("tensorflow").config
    gpus, cpus = config.list_logical_devices("GPU"), config.list_logical_devices("CPU")
    devices = _count(gpus, "GPU") if gpus else _count(cpus, "CPU")
    if setting == "gpu" and not gpus:
        raise InputError("--distribute gpu needs a GPU that TensorFlow sees, and it sees none: use auto or cpu.")
    if setting == "mirrored" and len(gpus or cpus) < 2:
        raise InputError(f"--distribute mirrored needs two devices or more, but TensorFlow sees {devices}: use auto.")
    if setting == "mirrored":
        return Choice("mirrored", f"as asked, {devices}")
    if setting != "auto":
        return Choice(setting, "as asked")
    if len(gpus) > 1:
        return Choice("gpu", f"one of {devices}: {one_device}") if one_device else Choice("mirrored", devices)
    return Choice("gpu", "TensorFlow sees one") if gpus else Choice("cpu", "TensorFlow sees no GPU")


def make_strategy(choice):
    """Creates the `tf.distribute` strategy of a choice.

    A cluster or a TPU must be joined before TensorFlow computes anything. A process can join only one, and later calls
    return the same strategy.

    Args:
        choice: `Choice`.

    Returns:
        `tf.distribute.Strategy`; TensorFlow's default strategy for one device.
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
    """Connects to a TPU, initializes it and creates its strategy, in the order that TensorFlow requires.

    Args:
        make_resolver: function without arguments that finds the TPU: `TPUClusterResolver`, or a substitute for tests.

    Returns:
        `tf.distribute.TPUStrategy`.

    Raises:
        InputError: no TPU is found.
    """
    tf = importlib.import_module("tensorflow")
    try:
        resolver = make_resolver()
    except ValueError as error:
        raise InputError(f"--distribute tpu finds no TPU ({error}): set {TPU_VARIABLE}, or use auto.") from error
    tf.config.experimental_connect_to_cluster(resolver)
    tf.tpu.experimental.initialize_tpu_system(resolver)
    return tf.distribute.TPUStrategy(resolver)


def is_chief(strategy):
    """Returns whether this process is the first worker or the only one; None stands for a single process."""
    return not is_multi_worker(strategy) or (strategy.cluster_resolver.task_id == 0 and _first_job(strategy))


def is_multi_worker(strategy):
    """Returns whether several processes train together; None stands for a single process, without TensorFlow."""
    return strategy is not None and isinstance(
        strategy, importlib.import_module("tensorflow").distribute.MultiWorkerMirroredStrategy
    )


def describe(choice, strategy):
    """Formats the choice and its reason as one line."""
    replicas = strategy.num_replicas_in_sync
    shown = f", {counted(replicas, 'replica')}" if replicas > 1 else ""
    return f"distribute: {choice.kind} ({choice.reason}){shown}"


def _first_job(strategy):
    jobs = strategy.cluster_resolver.cluster_spec().jobs
    return strategy.cluster_resolver.task_type == ("chief" if "chief" in jobs else "worker")


def _count(items, name):
    return f"{len(items)} {name}{'s' if len(items) != 1 else ''}"
