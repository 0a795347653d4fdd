import pytest

from tl_keras.config.parsing import parse
from tl_keras.errors import InputError
from tl_keras.studies.candidate_backbones import find_candidates

MISSING = "keras_hub:no/folder"


def test_backbones_whose_weights_are_missing_are_left_out_with_the_reason():
    candidates = find_candidates(parse(["--data.path", "photos"]), ["vgg16", MISSING, "vgg16"])
    assert {name: config.model.backbone for name, config in candidates.configs.items()} == {"vgg16": "vgg16"}
    assert "there is no folder 'no/folder'" in candidates.skipped[MISSING]


def test_a_mistyped_backbone_among_others_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match="Unknown model.backbone 'efficientnet_lite9': did you mean 'efficientnet_lit"):
        find_candidates(parse(["--data.path", "photos"]), ["vgg16", "efficientnet_lite9"])


def test_nothing_to_rank_is_one_sentence():
    with pytest.raises(InputError, match="No backbone can be measured: keras_hub:no/folder"):
        find_candidates(parse(["--data.path", "photos"]), [MISSING])


def test_a_recipe_that_trains_is_refused():
    config = parse(["--data.path", "photos", "--epochs", "3"])
    with pytest.raises(InputError, match="without training them, but the recipe is progressive_unfreezing"):
        find_candidates(config, ["efficientnet_lite0"])
