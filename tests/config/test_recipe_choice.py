import pytest

from tl_keras.config import AdaptationConfig, CacheConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from tl_keras.config.config_text import config_text
from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.phases import Phase


@pytest.mark.parametrize("task", ["image_classification", "text_classification"])
def test_classification_is_decided_by_the_data_by_default(task):
    config = RunConfig(task=task)
    assert config.recipe == "auto"
    assert (config.data.validation_fraction, config.data.augmentation, config.model.pooling) == (None, "none", None)


def test_detection_has_phases_by_default():
    config = RunConfig(task="object_detection")
    assert (config.recipe, config.data.validation_fraction) == ("progressive_unfreezing", 0.15)


SETTINGS = [
    {"epochs": 3},
    {"phases": [Phase("head")]},
    {"learning_rate": 1e-3},
    {"unfreeze_from": "all"},
    {"batch_norm": "train"},
    {"data": DataConfig(augmentation="strong")},
    {"model": ModelConfig(lora_rank=4)},
    {"model": ModelConfig(hidden_units=4)},
    {"optimizer": OptimizerConfig(ema_momentum=0.9)},
    {"adaptation": AdaptationConfig(target="other", method="mcc")},
    {"cache": CacheConfig(views=2), "data": DataConfig(augmentation="light")},
]


@pytest.mark.parametrize("settings", [*SETTINGS, {"model": ModelConfig(weights="none")}])
def test_settings_that_auto_would_decide_choose_phases(settings):
    config = RunConfig(**settings)
    assert (config.recipe, config.data.validation_fraction) == ("progressive_unfreezing", 0.15)


@pytest.mark.parametrize("settings", SETTINGS)
def test_auto_is_refused_beside_what_it_decides(settings):
    with pytest.raises(InputError, match="has no effect with recipe auto"):
        RunConfig(recipe="auto", **settings)


def test_auto_is_refused_for_detection():
    with pytest.raises(InputError, match="recipe auto is for classification: take progressive_unfreezing"):
        RunConfig(task="object_detection", recipe="auto")


def test_only_auto_can_refit():
    assert RunConfig(refit=True).refit
    with pytest.raises(InputError, match="refit has no effect with recipe fine_tuning"):
        RunConfig(recipe="fine_tuning", refit=True)


def test_a_written_configuration_is_read_back_unchanged(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(config_text(RunConfig()), encoding="utf-8")
    assert parse(["--config", str(path)]) == RunConfig()
