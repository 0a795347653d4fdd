from dataclasses import replace
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tl_keras import distribution
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.phases import Phase
from tl_keras.training import replicas

ALONE = tf.distribute.get_strategy()
TWO_CPUS = SimpleNamespace(
    num_replicas_in_sync=2, extended=SimpleNamespace(worker_devices=("/device:CPU:0", "/device:CPU:1"))
)
REFUSED = {
    "optimizer.accumulation_steps": ("2", "optimizer.accumulation_steps does not work on 2 devices"),
    "xla": ("true", "xla does not compile a step on 2 devices"),
    "recipe": ("few_shot", "compares all examples of a batch, but on 2 devices each sees its part"),
    "phases": ("[{train: [block7], objective: contrastive}]", "compares all examples of a batch"),
    "batch_norm": ("recalibrate", "batch_norm recalibrate runs on one device, not on 2 devices"),
}


@pytest.mark.parametrize("flag", REFUSED)
def test_what_differs_between_devices_is_refused(flag):
    value, message = REFUSED[flag]
    config = parse([f"--{flag}", value])
    replicas.check_replicas(config, ALONE)
    with pytest.raises(InputError, match=message):
        replicas.check_replicas(config, TWO_CPUS)


def test_a_tpu_takes_many_steps_at_once_and_others_one_by_default():
    tpu = SimpleNamespace(num_replicas_in_sync=8, extended=SimpleNamespace(worker_devices=("/device:TPU:0",)))
    assert [replicas.steps_per_execution(parse([]), strategy) for strategy in (ALONE, TWO_CPUS, tpu)] == [1, 1, 32]
    told = parse(["--steps_per_execution", "4"])
    assert [replicas.steps_per_execution(told, strategy) for strategy in (ALONE, TWO_CPUS, tpu)] == [4, 4, 4]


def test_clocks_of_several_workers_decide_nothing(monkeypatch):
    config = parse(["--max_time", "1m"])
    replicas.check_replicas(config, TWO_CPUS)
    monkeypatch.setattr(distribution, "is_multi_worker", lambda strategy: True)
    with pytest.raises(InputError, match="max_time is not for several workers"):
        replicas.check_replicas(config, TWO_CPUS)


def test_a_detector_gets_no_empty_part_of_a_batch():
    splits = SimpleNamespace(train=range(9), validation=range(8))
    config = parse(["--task", "object_detection", "--data.batch_size", "4"])
    replicas.check_batches(config, splits, ALONE)
    with pytest.raises(InputError, match="has 1 image, too few for 2 devices"):
        replicas.check_batches(config, splits, TWO_CPUS)
    replicas.check_batches(parse(["--data.batch_size", "4"]), splits, TWO_CPUS)


def test_one_device_takes_the_batches_of_all_devices():
    config = parse(["--task", "text_classification", "--data.batch_size", "4", "--text.tokens_per_batch", "100"])
    assert replicas.for_one_device(config, 1) is config
    alone = replicas.for_one_device(config, 2)
    assert (alone.data.batch_size, alone.text.tokens_per_batch) == (8, 200)


@pytest.mark.parametrize("flag", REFUSED)
def test_settings_that_depend_on_the_number_of_devices_are_known_without_them(flag):
    assert replicas.single_device_settings(parse([])) == []
    assert len(replicas.single_device_settings(parse([f"--{flag}", REFUSED[flag][0]]))) == 1


def test_learning_rates_grow_with_the_batch_and_warm_up_longer(capsys):
    phases = [Phase("head", epochs=1, learning_rate=0.01), Phase("all", epochs=20, learning_rate=0.001)]
    config = parse(["--recipe", "fine_tuning"])
    assert replicas.scale_rates(config, phases, ALONE) is phases
    assert replicas.scale_rates(replace(config, scale_learning_rate=False), phases, TWO_CPUS) is phases
    assert capsys.readouterr().out == ""
    head, rest = replicas.scale_rates(config, phases, TWO_CPUS)
    assert (head.learning_rate, head.warmup) == (pytest.approx(0.01 * 2**0.5), 0.5)
    assert (rest.learning_rate, rest.warmup) == (pytest.approx(0.001 * 2**0.5), 0.1)
    assert "learning rate: × 1.41, the square root of 2 devices" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [["--phases", "[{train: head}]"], ["--learning_rate", "0.01"]])
def test_learning_rates_that_the_user_gave_stay_as_they_are(flags, capsys):
    phases = [Phase("head", learning_rate=0.01)]
    assert replicas.scale_rates(parse(flags), phases, TWO_CPUS) is phases
    assert "learning rate: as given, for the batch of 2 devices" in capsys.readouterr().out
