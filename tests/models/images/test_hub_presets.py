import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

from tests.models.backbone_harness import check_saving, run_backbone_test
from tl_keras.config import ModelConfig, RunConfig
from tl_keras.errors import InputError
from tl_keras.models.head_blocks import head_columns
from tl_keras.models.images.building import build_backbone
from tl_keras.models.images.classifiers import build_image_classifier
from tl_keras.tasks.registry import TASKS

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
CONVERTER = {"image_size": (32, 32), "scale": [1 / 58, 1 / 57, 1 / 56], "offset": [-2.0, -1.9, -1.8]}


def resnet():
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 8],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        use_pre_activation=True,
    )
    return backbone, keras_hub.layers.ResNetImageConverter(**CONVERTER)


def vgg():
    backbone = keras_hub.models.VGGBackbone(stackwise_num_repeats=[1, 2], stackwise_num_filters=[4, 4])
    return backbone, keras_hub.layers.VGGImageConverter(image_size=(32, 32), scale=1 / 255)


def vit():
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(32, 32, 3), patch_size=16, num_layers=1, num_heads=2, hidden_dim=4, mlp_dim=4
    )
    return backbone, keras_hub.layers.ViTImageConverter(**CONVERTER)


BUILDERS = {resnet: ["P2", "P3", "top"], vgg: ["block1", "block2"], vit: ["body"]}
RUNS = TASKS["image_classification"]


@pytest.fixture
def save(tmp_path):
    def save(backbone, converter=None):
        folder = tmp_path / "preset"
        backbone.save_to_preset(folder)
        if converter:
            converter.save_to_preset(folder)
        return f"keras_hub:{folder}"

    return save


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_a_preset_folder_is_opened_as_a_backbone(save, build, tmp_path):
    backbone, converter = build()
    model = build_backbone(save(backbone, converter))
    assert model.input.shape == (None, 32, 32, 3)
    blocks, expected = ["preprocessing", *BUILDERS[build]], backbone(converter(IMAGES))
    run_backbone_test(model, blocks=blocks, found=model(IMAGES), expected=expected, atol=1e-4)
    check_saving(model, inputs=IMAGES, folder=tmp_path)


def test_layers_of_a_preset_are_flat_and_named_by_block(save):
    model = build_backbone(save(*vgg()))
    assert [layer.name for layer in model.layers[2:]] == [
        "block1.conv1",
        "block1.pool",
        "block2.conv1",
        "block2.conv2",
        "block2.pool",
    ]
    assert model.name == "preset"


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("pooling", ["max", "concat"])
def test_classifiers_pool_maps_and_tokens(save, build, pooling):
    model = build_image_classifier(save(*build()), 3, pooling=pooling)
    assert model(IMAGES).shape == (2, 3)


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_a_head_reads_every_block(save, build):
    model = build_image_classifier(save(*build()), 3, head_blocks="all")
    assert list(head_columns(model)) == BUILDERS[build]
    assert model(IMAGES).shape == (2, 3)


def test_none_initializes_randomly(save):
    backbone, converter = vgg()
    model = build_backbone(save(backbone, converter), weights=None)
    assert not np.allclose(model.get_layer("block1.conv1").kernel, backbone.get_layer("block1_conv1").kernel)


def test_a_convolutional_preset_accepts_any_image_size(save):
    assert build_backbone(save(*vgg()), image_size=48).output.shape == (None, 12, 12, 4)


def test_a_preset_of_fixed_size_refuses_another(save):
    with pytest.raises(InputError, match="expects images of 32"):
        build_backbone(save(*vit()), image_size=48)


def test_a_preset_without_preprocessing_is_refused(save):
    preset = save(vgg()[0])
    with pytest.raises(InputError, match="has no image_converter.json"):
        build_backbone(preset)
    with pytest.raises(InputError, match="has no image_converter.json"):
        RUNS.check_sources(RunConfig(model=ModelConfig(backbone=preset)))
    model = build_backbone(preset.removeprefix("keras_hub:"), weights=None)
    assert model.input.shape == (None, 224, 224, 3)


def test_a_network_that_could_not_be_opened_again_is_refused_before_training(save):
    zeros = ("dw_kernel_sizes", "dw_start_kernel_sizes", "dw_end_kernel_sizes", "num_heads", "key_dims", "value_dims")
    blocks = dict.fromkeys((*zeros, "se_ratios", "kv_strides", "use_cpe"), [[0]]) | {"block_types": [["er"]]}
    blocks |= {"num_blocks": [1], "num_filters": [[8]], "strides": [[2]], "act_layers": [["relu"]]}
    blocks |= {"exp_ratios": [[1.0]], "exp_kernel_sizes": [[3]], "pw_kernel_sizes": [[1]]}
    backbone = keras_hub.models.MobileNetV5Backbone(
        **{f"stackwise_{name}": value for name, value in blocks.items()}, use_msfa=False, image_shape=(32, 32, 3)
    )
    preset = save(backbone, keras_hub.layers.MobileNetV5ImageConverter(image_size=(32, 32)))
    with pytest.raises(
        InputError,
        match=r"saved model could not be opened again \(The model holds 'ConvNormAct' of .*\): take another backbone",
    ):
        build_backbone(preset)


def test_a_preset_of_text_is_refused(save):
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=8, num_layers=1, num_heads=1, hidden_dim=4, intermediate_dim=4, max_sequence_length=8
    )
    with pytest.raises(InputError, match="BertBackbone, expected a network from one image"):
        build_backbone(save(backbone))


def test_a_preset_whose_image_is_in_a_dictionary_is_refused(save):
    backbone = keras_hub.models.DINOV2Backbone(
        image_shape=(28, 28, 3), patch_size=14, num_layers=1, hidden_dim=4, num_heads=2, intermediate_dim=8
    )
    with pytest.raises(InputError, match="DINOV2Backbone, expected a network from one image"):
        build_backbone(save(backbone))


@pytest.mark.parametrize("preset", ["no_such_preset", "/no/such/folder"])
def test_an_unknown_preset_names_the_offline_options(preset):
    with pytest.raises(InputError, match=f"{preset}.*keras_hub:PATH.*efficientnet_lite0"):
        build_backbone(f"keras_hub:{preset}")


def test_a_failed_download_is_a_one_line_error(monkeypatch):
    def refuse(*_arguments, **_options):
        raise ConnectionError("no network\nsecond line")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", refuse)
    with pytest.raises(InputError, match=r"resnet_18_imagenet' could not be opened \(no network\)"):
        build_backbone("keras_hub:resnet_18_imagenet")


def test_the_global_dtype_policy_does_not_change(save):
    model = build_backbone(save(*vgg()))
    assert keras.config.dtype_policy().name == "float32"
    assert model.get_layer("preprocessing.normalization").dtype_policy.name == "float32"


def test_kerashub_is_imported_for_presets_only():
    code = "import sys, tl_keras.models.images.classifiers; sys.exit('keras_hub' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
