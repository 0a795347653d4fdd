import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import tl_keras as tl
from tests.cheap_weights import cheap_weights
from tl_keras.config import CacheConfig, DataConfig, RunConfig
from tl_keras.data import ImageSet
from tl_keras.errors import InputError
from tl_keras.training.phase_features import PhaseFeatures

PHASES = [tl.Phase("head", epochs=2), tl.Phase("top", epochs=2), tl.Phase("block7", epochs=2)]
BYTES = 12 * 4 * (1280 + 320 + 192)
"""Of 12 images of 32 x 32 pixels, whose last maps have 1 x 1 cells, at the cuts of all phases."""


@pytest.fixture(scope="module")
def model():
    with cheap_weights():
        return tl.build_image_classifier("efficientnet_lite0", 2, weights=None, image_size=32)


@pytest.fixture(scope="module")
def splits():
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3)).astype("uint8")
    whole = ImageSet(images, np.arange(12, dtype="int32") % 2, [""] * 12, ("a", "b"))
    parts = [
        ImageSet(whole.images[rows], whole.labels[rows], [""] * len(whole.images[rows]), whole.class_names)
        for rows in (slice(8), slice(8, 12))
    ]
    return SimpleNamespace(train=parts[0], validation=parts[1])


def features(model, splits, record=None, phases_done=0, phases=None, **cache):
    config = RunConfig(data=DataConfig(augmentation="none", batch_size=4), cache=CacheConfig(**cache))
    return PhaseFeatures(config, model, splits, phases or PHASES, phases_done, record)


def test_one_pass_serves_all_phases(model, splits, capsys):
    made = features(model, splits)
    assert made.decision.places == ("memory",) * 3 and made.decision.one_pass
    found = [made.of(index) for index in range(3)]
    assert capsys.readouterr().out.count("stored or found") == 1
    assert [cut.shape[-1] for cut, _ in found] == [1280, 320, 192]
    assert {len(stored.train) for _, stored in found} == {8}


def test_what_no_later_phase_reads_is_let_go(model, splits):
    made = features(model, splits)
    assert [len(made._cached) for index in range(3) if made.of(index)] == [3, 2, 1]


def test_where_not_all_fits_each_phase_has_its_own_pass(model, splits, capsys):
    made = features(model, splits, storage="memory", max_gigabytes=(BYTES - 1) / 1e9)
    assert made.decision.places == ("memory",) * 3 and not made.decision.one_pass
    assert all(made.of(index) for index in range(3))
    assert capsys.readouterr().out.count("stored or found") == 3


def test_the_disk_takes_what_the_memory_does_not(model, splits, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tl_keras.training.phase_features.MEMORY_SHARE", 1e-9)
    made = features(model, splits, mode="on")
    assert made.decision.places == ("disk",) * 3
    assert isinstance(made.of(0)[1].train.images, np.memmap)
    assert list((tmp_path / "tl_keras" / "activations").glob("*.activations"))


def test_insisting_without_room_is_refused(model, splits):
    with pytest.raises(InputError, match=r"give a larger --cache\.max_gigabytes"):
        features(model, splits, storage="memory", mode="on", max_gigabytes=1e-6)


def test_without_room_nothing_is_stored(model, splits):
    made = features(model, splits, storage="memory", max_gigabytes=1e-6)
    assert made.decision.places == (None,) * 3
    assert made.of(0) is None
    assert "find no room" in made.describe()[0]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"places": [null], "one_pass": true}', '{"places": "disk"}'])
def test_a_damaged_record_of_the_decision_is_refused(model, splits, tmp_path, text):
    (tmp_path / "cache.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="cache.json'.*: remove it, and what to cache is decided again"):
        features(model, splits, record=tmp_path / "cache.json")


@pytest.mark.parametrize(
    ("phase", "settings", "reason"),
    [
        (tl.Phase("all", epochs=4), {}, "computing in each epoch is faster"),
        (tl.Phase("head", epochs=1), {}, "that takes as many passes as there are epochs"),
        (tl.Phase("head", epochs=4), {"mode": "off"}, "cache.mode is off"),
    ],
)
def test_nothing_is_stored_that_does_not_pay_and_the_reason_is_printed(model, splits, phase, settings, reason):
    made = features(model, splits, phases=[phase], **settings)
    assert made.decision.places == (None,)
    [line] = made.describe()
    assert line.startswith("cache: nothing is stored") and reason in line


def test_images_that_are_augmented_anew_are_not_stored(model, splits):
    config = RunConfig(data=DataConfig(augmentation="light"))
    assert "--cache.views K" in PhaseFeatures(config, model, splits, PHASES).describe()[0]


def test_a_resumed_run_repeats_the_decision(model, splits, tmp_path):
    record = tmp_path / "cache.json"
    first = features(model, splits, record).decision
    record.write_text(json.dumps({"places": [None, "memory", None], "one_pass": False}))
    again = features(model, splits, record, phases_done=1).decision
    assert again.places == (None, "memory", None) != first.places
    assert not again.one_pass


def test_phases_are_described_with_what_they_read(model, splits):
    first, *lines = features(model, splits).describe()
    assert first.startswith("cache: 3 of 3 phases read cached activations (0.1 MB to store, memory")
    assert lines[0] == "phase 1: reads the output of head.pool, 0.1 MB in memory"
    assert len(lines) == 3


def test_what_an_earlier_run_stored_is_not_counted_again(model, splits, tmp_path):
    first = features(model, splits, folder=str(tmp_path))
    first.of(0)
    assert first.plan.num_bytes == BYTES
    again = features(model, splits, folder=str(tmp_path))
    assert again.plan.num_bytes == 0
    assert again.decision.places == ("disk",) * 3


@pytest.mark.usefixtures("small_network")
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_what_an_earlier_phase_changes_is_computed_after_it(splits, policy, capsys):
    keras.mixed_precision.set_global_policy(policy)
    try:
        changing = tl.build_image_classifier("efficientnet_lite0", 2, weights=None, image_size=32)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    phases = [tl.Phase("head", epochs=2), tl.Phase(["stem"], epochs=2), tl.Phase("head", epochs=2)]
    made = features(changing, splits, phases=phases, mode="on")
    first = np.array(made.of(0)[1].train.images)
    assert made.of(1) is not None
    stem = changing.get_layer("stem.conv").kernel
    stem.assign(2 * stem)
    cut, stored = made.of(2)
    expected = keras.Model(changing.input, cut)(splits.train.images, training=False)
    close = 1e-5 if policy == "float32" else 0.05 * np.abs(expected).max()
    np.testing.assert_allclose(stored.train.images.astype("float32"), expected, atol=close)
    assert np.abs(first.astype("float32") - expected).max() > close
    assert capsys.readouterr().out.count("stored or found") == 2
