import pytest

from tl_keras.config.derived import derive, without_augmentation
from tl_keras.config.parsing import parse


def test_a_copy_keeps_all_other_settings_and_is_not_checked():
    config = parse(["--resume", "must", "--run", "x", "--data.batch_size", "7"])
    derived = derive(config, run=None)
    assert (derived.run, derived.resume, derived.data.batch_size, config.run) == (None, "must", 7, "x")
    assert type(derived) is type(config) and derived != config


def test_an_unknown_field_is_an_error():
    with pytest.raises(AttributeError, match="rnu"):
        derive(parse([]), rnu=None)


def test_images_without_augmentation_have_no_views():
    config = parse(["--cache.views", "2", "--cache.mode", "on", "--data.augmentation", "mixup"])
    plain = without_augmentation(config)
    assert (plain.data.augmentation, plain.cache.views, plain.cache.mode) == ("none", None, "on")
    assert (config.data.augmentation, config.cache.views) == ("mixup", 2)
