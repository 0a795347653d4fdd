import os
import subprocess
import sys

import pytest
import tensorflow as tf

from tl_keras.distribution import strategy as module
from tl_keras.distribution.strategy import choose, describe, is_chief, is_cluster, is_multi_worker, make_strategy
from tl_keras.errors import InputError

CLUSTER = {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}'}


@pytest.fixture
def set_gpus(monkeypatch):
    """Returns a function that sets the number of GPUs visible to TensorFlow."""

    def set_count(gpus):
        devices = {"GPU": [f"GPU:{number}" for number in range(gpus)], "CPU": ["CPU:0"]}
        monkeypatch.setattr(tf.config, "list_logical_devices", devices.get)

    return set_count


@pytest.mark.parametrize(
    ("environment", "gpus", "kind", "reason"),
    [
        (CLUSTER, 2, "multi_worker", "TF_CONFIG names 2 workers"),
        ({"TPU_NAME": "local"}, 2, "tpu", "TPU_NAME names one"),
        ({}, 2, "mirrored", "2 GPUs"),
        ({}, 1, "gpu", "TensorFlow sees one"),
        ({}, 0, "cpu", "TensorFlow sees no GPU"),
    ],
)
def test_auto_chooses_all_devices_and_gives_the_reason(environment, gpus, kind, reason, set_gpus):
    set_gpus(gpus)
    choice = choose("auto", environment)
    assert (choice.kind, choice.reason) == (kind, reason)


def test_auto_takes_one_of_several_gpus_where_there_is_a_reason(set_gpus):
    set_gpus(2)
    assert choose("auto", {}, "few labels").kind == "gpu"
    assert choose("auto", {}, "few labels").reason == "one of 2 GPUs: few labels"
    assert [choose(kind, {}, "few labels").kind for kind in ("mirrored", "tpu")] == ["mirrored", "tpu"]
    set_gpus(0)
    assert choose("auto", {}, "few labels").reason == "TensorFlow sees no GPU"


def test_an_explicit_setting_overrides_the_environment(set_gpus):
    set_gpus(2)
    assert [choose(kind, CLUSTER).kind for kind in ("cpu", "gpu", "mirrored", "tpu")] == [
        "cpu",
        "gpu",
        "mirrored",
        "tpu",
    ]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("gpu", "needs a GPU that TensorFlow sees"),
        ("mirrored", "needs two devices or more, but TensorFlow sees 1 CPU"),
        ("multi_worker", "needs TF_CONFIG in the environment"),
    ],
)
def test_missing_devices_are_refused(setting, message, set_gpus):
    set_gpus(0)
    with pytest.raises(InputError, match=message):
        choose(setting, {})


def test_one_device_uses_the_default_strategy(set_gpus):
    choice = choose("auto", {})
    strategy = make_strategy(choice)
    assert strategy is tf.distribute.get_strategy()
    assert (is_chief(strategy), is_multi_worker(strategy)) == (True, False)
    assert describe(choice, strategy) == "distribute: cpu (TensorFlow sees no GPU)"


@pytest.mark.parametrize(
    ("setting", "environment", "expected"),
    [("auto", {}, False), ("auto", CLUSTER, True), ("auto", {"TPU_NAME": "t"}, True), ("cpu", CLUSTER, False)],
)
def test_clusters_are_detected_without_tensorflow(setting, environment, expected):
    assert is_cluster(setting, environment) == expected


def test_an_invalid_cluster_is_refused_without_tensorflow():
    code = (
        "import sys; from tl_keras import train; from tl_keras.cli.verbs import run_verb\n"
        "try: run_verb(train.main, ['--data.path', 'nowhere'])\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"TF_CONFIG": "{"}
    )
    assert result.returncode == 2
    assert result.stdout == "False\n"
    assert result.stderr.startswith("error: TF_CONFIG is not JSON")


def test_a_missing_tpu_is_refused():
    def make_resolver():
        raise ValueError("Please provide a TPU Name to connect to.")

    with pytest.raises(InputError, match="finds no TPU .* set TPU_NAME"):
        module.join_tpu(make_resolver)


def test_a_tpu_is_connected_then_initialized(monkeypatch):
    """Uses stand-ins, because there is no TPU to run on."""
    calls = []
    monkeypatch.setattr(
        tf.config, "experimental_connect_to_cluster", lambda resolver: calls.append(("connect", resolver))
    )
    monkeypatch.setattr(
        tf.tpu.experimental, "initialize_tpu_system", lambda resolver: calls.append(("start", resolver))
    )
    monkeypatch.setattr(tf.distribute, "TPUStrategy", lambda resolver: calls.append(("strategy", resolver)) or "it")
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", lambda: "resolver")
    monkeypatch.setattr(module, "join_tpu", module.join_tpu.__wrapped__)
    assert make_strategy(choose("tpu", {})) == "it"
    assert calls == [("connect", "resolver"), ("start", "resolver"), ("strategy", "resolver")]


def test_a_cluster_is_counted_without_joining_it():
    outline = module.outline_cluster("auto", CLUSTER)
    assert outline.num_replicas_in_sync == 2
    with outline.scope():
        assert tf.distribute.get_strategy().num_replicas_in_sync == 1
    assert module.outline_cluster("auto", {}) is None and module.outline_cluster("cpu", CLUSTER) is None
