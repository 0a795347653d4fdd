import math

import pytest

from tl_keras.config import CacheConfig, DataConfig, ModelConfig, RunConfig
from tl_keras.errors import InputError
from tl_keras.phases import Phase


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"phases": []}, "empty list of phases"),
        ({"phases": [Phase("head")], "epochs": 3}, "epochs has no effect beside phases: set it in the phases"),
        ({"phases": [Phase("head")], "learning_rate": 0.1}, "learning_rate has no effect beside phases"),
        ({"phases": [Phase("head")], "unfreeze_from": "block5"}, "unfreeze_from has no effect beside phases"),
        ({"recipe": "feature_extraction", "model": ModelConfig(lora_rank=4)}, "model.lora_rank has no effect with"),
        (
            {"recipe": "feature_extraction", "unfreeze_from": "block5"},
            "unfreeze_from has no effect with recipe feature_extraction, which never trains",
        ),
        ({"epochs": 0}, "epochs must be at least 1: got 0"),
        ({"patience": 0}, "patience must be at least 1: got 0"),
        ({"phases": [Phase("head")], "patience": 2}, "patience has no effect beside phases: set it in the phases"),
        ({"recipe": "auto", "patience": 2}, "patience has no effect with recipe auto"),
        ({"recipe": "auto", "restore_best": True}, "restore_best has no effect with recipe auto"),
        ({"phases": [Phase("head")], "restore_best": False}, "restore_best has no effect beside phases"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seed": 2**32}, "seed must be at most 4294967295"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": math.inf}, "learning_rate must be above 0: got inf"),
    ],
)
def test_invalid_settings_are_refused_by_name(values, message):
    with pytest.raises(InputError, match=message):
        RunConfig(**values)


@pytest.mark.parametrize(
    ("data", "cache", "message"),
    [
        (DataConfig(augmentation="none"), CacheConfig(views=2), "cache.views=2 keeps augmented versions"),
        (DataConfig(augmentation="light"), CacheConfig(mode="on"), "give cache.views"),
    ],
)
def test_incompatible_cache_settings_are_refused(data, cache, message):
    with pytest.raises(InputError, match=message):
        RunConfig(data=data, cache=cache)


def test_an_invalid_time_is_refused():
    with pytest.raises(InputError, match="max_time is 'soon'"):
        RunConfig(max_time="soon")


@pytest.mark.parametrize(
    "settings",
    [{"recipe": "few_shot"}, {"phases": [Phase(["block1"], objective="contrastive")]}],
)
def test_few_shot_needs_one_label_per_example(settings):
    with pytest.raises(InputError, match="few_shot compares examples of one label each"):
        RunConfig(data=DataConfig(multi_label=True), **settings)


@pytest.mark.parametrize(
    ("log", "trackers"),
    [(None, []), ("wandb", ["wandb"]), ("wandb, mlflow,wandb", ["wandb", "mlflow"]), (["mlflow"], ["mlflow"])],
)
def test_trackers_are_a_list_or_a_text_with_commas(log, trackers):
    assert RunConfig(log=log).trackers == trackers
