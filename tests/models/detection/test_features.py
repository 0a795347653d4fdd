import keras
import pytest
from keras import layers

from tests.models.detection.tiny_detectors import tiny_backbone
from tl_keras.errors import InputError
from tl_keras.models.detection.features import feature_maps, require_maps
from tl_keras.models.images.building import build_backbone


def names(maps):
    return {stride: tensor._keras_history.operation.name for stride, tensor in maps.items()}


def test_a_map_is_the_output_of_its_block():
    expected = {2 << number: f"block{number + 1}.relu" for number in range(5)}
    assert names(feature_maps(tiny_backbone())) == expected


def test_a_map_of_a_pooling_block_is_the_input_of_the_pooling():
    maps = names(feature_maps(build_backbone("vgg16", weights=None, image_size=64)))
    assert maps == {
        1: "block1.conv2",
        2: "block2.conv2",
        4: "block3.conv3",
        8: "block4.conv3",
        16: "block5.conv3",
        32: "block5.pool",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet50", "mobilenet_v2", "efficientnet_v2_b0", "convnext_tiny", "efficientnet_lite0"]
)
def test_backbones_have_a_map_of_each_stride(name):
    backbone = build_backbone(name, weights=None, image_size=64)
    for stride, tensor in zip((4, 8, 16, 32), require_maps(backbone, (4, 8, 16, 32)), strict=True):
        assert tensor.shape[1] == tensor.shape[2] == 64 // stride


def test_the_last_block_of_a_stride_is_its_map():
    image = keras.Input((32, 32, 3), name="preprocessing.image")
    first = layers.Conv2D(1, 3, 2, padding="same", name="block1.conv")(image)
    second = layers.Conv2D(1, 3, padding="same", name="block2.conv")(first)
    assert names(feature_maps(keras.Model(image, second))) == {2: "block2.conv"}


def test_an_image_size_that_is_no_multiple_of_the_stride_is_refused():
    image = keras.Input((70, 70, 3), name="preprocessing.image")
    backbone = keras.Model(image, layers.Conv2D(1, 1, 2, padding="same", name="block1.conv")(image))
    with pytest.raises(InputError, match="image size is 70, expected a multiple of 32.*give 64"):
        require_maps(backbone, [32])


def test_a_missing_stride_is_refused():
    with pytest.raises(InputError, match="tiny has no feature map of stride 16 .* only of 2, 4, 8:"):
        require_maps(tiny_backbone(strides=3), [16])
