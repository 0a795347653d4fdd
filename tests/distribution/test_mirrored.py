"""Whole trainings on two CPU devices, each in a process of its own, which takes TensorFlow's start of some seconds."""

import pytest

from tests.distribution.processes import assert_alike, finish, flags, start

SETTINGS = {
    "cached": {},
    "uncached_clipped_weighted": {
        "cache.mode": "off",
        "optimizer.clip_norm": 0.1,
        "data.class_weight": "balanced",
        "data.augmentation": "light",
    },
    "averaged": {"optimizer.ema_momentum": 0.9, "cache.mode": "off"},
    "batch_norm": {"batch_norm": "train", "cache.mode": "off"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_two_devices_end_with_the_weights_of_one(name, picture_folder, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    finish(start(flags(picture_folder, one, **SETTINGS[name] | {"data.batch_size": 10})))
    printed = finish(start([*flags(picture_folder, two, **SETTINGS[name]), "--distribute", "mirrored"], devices=2))
    assert "distribute: mirrored (as asked, 2 CPUs), 2 replicas" in printed
    assert_alike(one, two, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_two_devices_compute_in_halves(precision, picture_folder, tmp_path):
    halves = {"precision": precision, "data.batch_size": 6, "distribute": "mirrored"}
    printed = finish(start(flags(picture_folder, tmp_path / "run", **halves), devices=2))
    assert printed.count("frozen variables bit-identical") == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimizer.accumulation_steps": 2}, "optimizer.accumulation_steps does not work on 2 devices"),
        ({"xla": "true"}, "xla does not compile a step on 2 devices"),
        ({"batch_norm": "recalibrate"}, "batch_norm recalibrate runs on one device"),
    ],
)
def test_what_would_break_is_refused(setting, message, picture_folder, tmp_path):
    process = start([*flags(picture_folder, tmp_path / "run", **setting), "--distribute", "mirrored"], devices=2)
    printed, _ = process.communicate(timeout=100)
    assert process.returncode == 2
    assert f"error: {message}" in printed
