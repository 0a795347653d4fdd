import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.candidate_backbones import find_candidates


def test_unknown_backbones_are_left_out_with_the_reason():
    candidates = find_candidates(parse(["--data.path", "photos"]), ["vgg16", "efficientnet_lite9", "vgg16"])
    assert {name: config.model.backbone for name, config in candidates.configs.items()} == {"vgg16": "vgg16"}
    assert "efficientnet_lite0" in candidates.skipped["efficientnet_lite9"]


def test_nothing_to_rank_is_one_sentence():
    with pytest.raises(InputError, match="No backbone can be measured: nonesuch"):
        find_candidates(parse(["--data.path", "photos"]), ["nonesuch"])


def test_a_recipe_that_trains_is_refused():
    config = parse(["--data.path", "photos", "--epochs", "3"])
    with pytest.raises(InputError, match="without training them, but the recipe is progressive_unfreezing"):
        find_candidates(config, ["efficientnet_lite0"])
